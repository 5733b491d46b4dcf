#!/bin/sh
# build.sh [VERSION]: build the image millrace/kafka:VERSION without a registry of images: from a Java of this machine, busybox,
# and the jars that the tests use. It needs a Docker engine, a JDK of 17 or newer, busybox-static, and Maven or KAFKA_LIBS.
# Prints the name of the image.
set -eu
cd "$(dirname "$0")/../.."
for tool in docker jlink go; do command -v $tool >/dev/null || { echo "kafka-image: no $tool: see the head of kafkatest/image/build.sh" >&2; exit 1; }; done
[ -x /bin/busybox ] || { echo 'kafka-image: no /bin/busybox: install busybox-static' >&2; exit 1; }

kit=$(go run ./internal/testkafka/cmd/kafka -version "${1:-}" jars)
version=${kit%% *}
libs=${kit#* }
image=millrace/kafka:$version
work=.kafka/image
mkdir -p "$work"
[ -f "$work/rootfs.tar" ] || sh kafkatest/image/rootfs.sh "$work"

context=$(mktemp -d "$work/context-XXXXXX")
trap 'rm -rf "$context"' EXIT
ln "$work/rootfs.tar" "$context/"
cp -r "$libs" "$context/libs"
cp kafkatest/image/Dockerfile kafkatest/image/prepare kafkatest/image/run kafkatest/image/server.properties \
  internal/testkafka/kafka/log4j.properties internal/testkafka/kafka/log4j2.properties "$context/"
chmod 755 "$context/prepare" "$context/run"
DOCKER_BUILDKIT=0 docker build -q -t "$image" "$context" >/dev/null 2>"$context.log" || { cat "$context.log" >&2; rm "$context.log"; exit 1; }
rm "$context.log"
echo "$image"
