"""The studio: a local web page on the library. It needs the extra `studio`."""
