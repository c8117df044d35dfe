#!/bin/sh
# The bundle's data: every target and source font of the catalog that can be fetched, 128 px.
set -eu
DATA=${1:?usage: weights/render.sh DATA}
CHARS=gb2312+jis-1+big5-1
TARGETS="ma-shan-zheng zhi-mang-xing liu-jian-mao-cao long-cang yuji-syuku kouzan-mouhitsu
kouzan-gyosho kouzan-sosho aoyagi-soseki aoyagi-kouzan-t zcool-xiaowei zcool-kuaile
zcool-qingke-huangyou smiley-sans potta-one reggae-one kaisei-tokumin zen-kurenaido yusei-magic
hachi-maru-pop yomogi setofont"
SOURCES="arphic-gkai noto-serif-sc arphic-gbsn noto-sans-sc tw-kai arphic-uming arphic-ukai"

# shellcheck disable=SC2086
calligan fonts fetch lxgw-wenkai $TARGETS $SOURCES
# shellcheck disable=SC2086
calligan render-pairs lxgw-wenkai $TARGETS --data "$DATA" --charset "$CHARS"
for source in $SOURCES; do
    calligan render-pairs "$source" ma-shan-zheng --data "$DATA" --charset "$CHARS"
done
