#!/bin/sh
# The bundle's runs, in order; each begins at the one before. Stopped, the same call goes on.
# 5.6 hours and evaluations on two cores. Data: see weights/README.md.
set -eu
DATA=${1:?usage: weights/train.sh DATA RUNS}
RUNS=${2:?usage: weights/train.sh DATA RUNS}
HERE=$(dirname "$0")/recipe
SOURCES=lxgw-wenkai,arphic-gkai,noto-serif-sc,arphic-gbsn,noto-sans-sc
SEVEN=ma-shan-zheng,zhi-mang-xing,liu-jian-mao-cao,long-cang,yuji-syuku,kouzan-mouhitsu
FACES=zcool-xiaowei,zcool-kuaile,zcool-qingke-huangyou,potta-one,reggae-one,kaisei-tokumin,yusei-magic,hachi-maru-pop,yomogi
SIXTEEN=$SEVEN,aoyagi-soseki,$FACES
NINETEEN=$SEVEN,kouzan-gyosho,kouzan-sosho,aoyagi-soseki,aoyagi-kouzan-t,$FACES

stage() { # folder, then the options of a first call
    run=$RUNS/$1/0001
    shift
    if [ -e "$run/config.json" ]; then calligan train --resume "$run"
    else calligan train --data "$DATA" --sources "$SOURCES" --runs "$(dirname "$run")" "$@"; fi
}

stage 1 --styles "$SIXTEEN" --steps 9000 --config "$HERE/1-rebuild.toml" --set augment.weight=0
stage 2 --styles "$NINETEEN" --steps 1800 --config "$HERE/2-more-hands.toml" --from "$RUNS/1"
stage 3 --styles "$NINETEEN" --steps 5400 --config "$HERE/3-play.toml" --from "$RUNS/2"
stage 4 --styles "$NINETEEN" --steps 3300 --config "$HERE/4-as-they-are.toml" --from "$RUNS/3"
