"""Who is let into the studio, and how much: every way in that befell others is tried."""

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the studio needs pip install 'calligan[studio]'")
import uvicorn
from starlette.testclient import TestClient

from calligan.studio.app import create_app
from calligan.studio.security import MAX_BYTES, MAX_UPLOAD_BYTES, Key
from calligan.studio.state import StudioState

BASE = "http://127.0.0.1:80"
OWN = {"Origin": BASE.removesuffix(":80")}


@pytest.fixture
def key():
    return Key()


@pytest.fixture
def app(tmp_path, key, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return create_app(StudioState(warm=False, works=False), key)


@pytest.fixture
def stranger(app):
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


@pytest.fixture
def guest(stranger, key):
    """A browser that opened the printed address."""
    answer = stranger.get(f"/?token={key.token}")
    assert answer.status_code == 303
    return stranger


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(stranger, key):
    answer = stranger.get(f"/?token={key.token}")
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and key.token not in cookie
    assert stranger.get("/write").status_code == 200


@pytest.mark.parametrize(
    ("to", "leads"),
    [("/hand/我的字", "/hand/%E6%88%91%E7%9A%84%E5%AD%97"), ("//evil.example", "/"),
     ("https://evil.example", "/"), ("/hand/../x", "/"), ("/hand/x\r\nA: b", "/"), ("/write", "/")],
)  # fmt: skip
def test_the_token_leads_a_telephone_to_a_hand_and_nowhere_else(stranger, key, to, leads):
    answer = stranger.get("/", params={"token": key.token, "to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, leads)


@pytest.mark.parametrize(
    "path", ["/", "/write", "/api/hands", "/static/studio.css", "/?token=", "/?token=x", "/nothing"]
)
def test_nothing_without_the_cookie(stranger, path):
    assert stranger.get(path).status_code == 403


def test_a_wrong_cookie_and_a_token_elsewhere_do_not_let_in(stranger, key):
    assert stranger.get(f"/write?token={key.token}").status_code == 403
    assert stranger.post(f"/?token={key.token}", headers=OWN).status_code == 403
    assert stranger.get("/write", headers={"Cookie": f"calligan-80={key.token}"}).status_code == 403
    assert stranger.get("/write", headers={"Cookie": "calligan-80="}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0",
     "127.0.0.1@evil.example", "[::2]", "", "192.168.0.2", "2130706433", "127.0.0.1:80:80"],
)  # fmt: skip
def test_another_host_is_not_served(guest, host):
    assert guest.get("/write", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:80", "[::1]"])
def test_the_loopback_by_its_names(guest, host):
    cookie = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
    assert guest.get("/write", headers={"Host": host, "Cookie": cookie}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "http://127.0.0.1:8888"},
        {"Origin": "http://localhost"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {**OWN, "Sec-Fetch-Site": "cross-site"},
        {**OWN, "Sec-Fetch-Site": "same-site"},
        {**OWN, "Sec-Fetch-Site": "nonsense"},
    ],
)
def test_a_change_must_come_from_the_own_page(guest, headers):
    assert guest.post("/api/page", json={}, headers=headers).status_code == 403


def test_every_change_is_refused_from_elsewhere(guest, app):
    """Whatever its address: all of them are asked."""
    asked = [
        route.path for route in app.routes if "POST" in (getattr(route, "methods", None) or ())
    ]
    assert {"/api/hand/{name}/remove", "/api/font/{name}/remove", "/api/restore"} <= set(asked)
    for path in asked:
        path = re.sub(r"\{\w+\}", "mine", re.sub(r"\{\w+:int\}", "1", path))
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            assert guest.post(path, json={}, headers=headers).status_code == 403, path
        assert guest.get(path).status_code in (404, 405, 422), path


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "..%2fhands", "a%2f..%2f..%2fb", "a%00", "con", "."]
)
def test_no_hand_outside_is_renamed_or_removed(guest, name):
    """Nor is one given a name that is a path."""
    for folder in ("mine", "studio/hands/mine", "hands/mine"):
        Path(folder).mkdir(parents=True)
    there = sorted(Path().rglob("*"))
    for what, body in (("remove", {}), ("rename", {"name": "other"})):
        answer = guest.post(f"/api/hand/{name}/{what}", json=body, headers=OWN)
        assert answer.status_code in (404, 405, 422), answer.text
    for body in ({"name": "../x"}, {"name": "/x"}, {"name": ["x"]}, {"name": "a/b"}, {}):
        answer = guest.post("/api/hand/mine/rename", json=body, headers=OWN)
        assert answer.status_code == 422, answer.text
    assert sorted(Path().rglob("*")) == there


@pytest.mark.parametrize(
    "token", ["", ".", "..", "../x", "mine", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n", "/", ["x"], 1]
)  # fmt: skip
def test_nothing_comes_back_for_what_is_no_token(guest, token):
    """Wherever it leads, and though there is a note."""
    note = {
        "kind": "hand",
        "name": "back",
        "removed_at": 9e9,
        "folders": ["hands/back"],
        "jobs": [],
    }
    for folder in (
        "studio",
        "studio/x",
        "studio/removed",
        f"studio/removed/{str(token).strip('/')}",
    ):
        Path(folder, "0").mkdir(parents=True, exist_ok=True)
        Path(folder, "removed.json").write_text(json.dumps(note))
    there = sorted(Path().rglob("*"))
    answer = guest.post("/api/restore", json={"token": token}, headers=OWN)
    assert answer.status_code == 422, answer.text
    assert sorted(Path().rglob("*")) == there


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_reading_from_another_site_is_refused_too(guest, site):
    for path in ("/write", "/api/hands", "/static/frame.js"):
        assert guest.get(path, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert guest.get("/write", headers={"Origin": "null"}).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_other_methods(guest, method):
    for path in ("/api/page", "/nothing"):
        answer = guest.request(method, path, headers=OWN)
        assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_every_answer_is_armed(guest, key):
    paths = ["/write", "/nothing", "/static/frame.js", "/static/nothing", "/api/text/nothing", "/"]
    answers = [guest.get(path) for path in paths]
    answers.append(guest.get("/write", headers={"Host": "evil.example"}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy and "*" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers


def test_pages_hold_no_scripts_or_styles_of_their_own(guest):
    text = guest.get("/write").text
    assert not re.findall(r"<script(?![^>]*(src=|application/json))[^>]*>", text)
    assert not re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", text)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../security.py",
        "/static/%2e%2e/security.py",
        "/static/..%2fsecurity.py",
        "/static/%2fetc/passwd",
        "/static//etc/passwd",
        "/static/..%5csecurity.py",
        "/api/text/..%2f..%2fREADME",
        "/api/text/@jingyesi",
        "/write.exe?text=永",
        "/static/frame.js%00.css",
    ],
)
def test_no_path_leads_out(guest, path):
    answer = guest.get(path)
    assert answer.status_code in (303, 404, 422), answer.text
    assert "import" not in answer.text and "root:" not in answer.text


@pytest.mark.parametrize(
    "told",
    [
        {"hand": "../../etc/passwd"},
        {"hand": "0001/../../x"},
        {"hand": "weights/calligan.safetensors"},
        {"hand": "a\0b"},
        {"hand": "1,2"},
        {"format": "../formats/scroll"},
        {"format": "/tmp/mine.toml"},
        {"ink": "url(http://evil.example)"},
        {"ink": "red"},
        {"text": "永" * 3001},
        {"size": "100000"},
        {"wrap": "-1"},
        {"vary": "nan"},
        {"seal": "永永永永永"},
    ],
)
def test_a_setting_names_no_file_and_no_absurd_number(guest, told):
    body = {"setting": {"text": "永", **told}}
    answer = guest.post("/api/page", json=body, headers=OWN)
    assert answer.status_code == 422 and answer.json()["error"], answer.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "text/plain"),
        (b"{}", "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"setting": 1e999}', "application/json"),
        (b"\xff\xfe", "application/json"),
    ],
)
def test_bodies_that_are_no_json(guest, body, kind):
    headers = {**OWN, "Content-Type": kind}
    assert guest.post("/api/page", content=body, headers=headers).status_code == 422


def test_bodies_that_are_too_large(guest):
    headers = {**OWN, "Content-Type": "application/json"}
    large = b" " * (MAX_BYTES + 1)
    assert guest.post("/api/page", content=large, headers=headers).status_code == 413
    told = {**headers, "Content-Length": str(MAX_UPLOAD_BYTES + 1)}
    assert guest.post("/upload/hand/mine", content=b"", headers=told).status_code == 413
    for odd in ("-1", "1e3", "9" * 40):
        told = {**headers, "Content-Length": odd}
        assert guest.post("/api/page", content=b"", headers=told).status_code == 413

    def endless():  # no length is told
        for _ in range(MAX_BYTES // 2**16 + 2):
            yield b" " * 2**16

    assert guest.post("/api/page", content=endless(), headers=headers).status_code == 413


@pytest.fixture
def address(app):
    """The application on a real port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


def test_a_real_server_lets_nobody_in_by_fifty_tries_at_once(address, key):
    def ask(number: int) -> int:
        tries: list[dict[str, str]] = [
            {},
            {"Host": "evil.example"},
            {"Cookie": f"calligan-{address[1]}=guess{number}"},
            {"Host": "evil.example", "Cookie": f"calligan-{address[1]}={key.cookie}"},
            {"Sec-Fetch-Site": "cross-site", "Cookie": f"calligan-{address[1]}={key.cookie}"},
        ]
        connection = HTTPConnection(*address, timeout=30)
        method = "POST" if number % 2 else "GET"
        connection.request(method, "/write", headers=tries[number % len(tries)])
        return connection.getresponse().status

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    assert len(answers) == 50 and set(answers) <= {403, 421}

    connection = HTTPConnection(*address, timeout=30)
    connection.request("GET", f"/?token={key.token}")
    answer = connection.getresponse()
    answer.read()
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    connection.request("GET", "/write", headers={"Cookie": cookie})
    assert connection.getresponse().status == 200


def test_the_key_is_its_owners_alone_and_outlives_a_restart(tmp_path):
    first, second = Key.kept(tmp_path / "key"), Key.kept(tmp_path / "key")
    assert first.cookie == second.cookie and first.token != second.token
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
