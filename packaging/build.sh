#!/bin/bash
# Builds packages (.deb and .rpm), or with "release" also tarballs, an SBOM and check sums, into OUT (bin/release). The
# same commit gives the same bytes: times are that of the commit.
set -euo pipefail
cd "$(dirname "$0")/.."

nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

what=${1:-packages}
out=$(realpath -m "${OUT:-bin/release}")
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
commit=${COMMIT:-$(git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null || true)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
date=${DATE:-$(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)}

# A package's version begins with a digit. That of an untagged commit sorts before any release.
case $version in
v[0-9]*) PACKAGE_VERSION=${version#v} ;;
[0-9]*.*) PACKAGE_VERSION=$version ;;
*) PACKAGE_VERSION=0~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M).$version ;;
esac
PACKAGE_VERSION=${PACKAGE_VERSION//-/.}
export PACKAGE_VERSION BUILT=$out/build

rm -rf "$BUILT" "$out"/junctor[-_]* "$out/SHA256SUMS"
mkdir -p "$BUILT/completion"

build() { # OUTPUT: the program, for GOARCH
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.built=$version -X main.commit=$commit -X main.date=$date" -o "$1" ./cmd/junctor
}

host=$BUILT/$(go env GOOS)-$(go env GOARCH)/junctor
build "$host"
"$host" man "$BUILT/man"
gzip -9n "$BUILT"/man/*
"$host" completion bash >"$BUILT/completion/junctor"
"$host" completion zsh >"$BUILT/completion/_junctor"
"$host" completion fish >"$BUILT/completion/junctor.fish"

for ARCH in ${ARCHES:-amd64 arm64}; do
	export ARCH
	[ -e "$BUILT/linux-$ARCH/junctor" ] || GOOS=linux GOARCH=$ARCH build "$BUILT/linux-$ARCH/junctor"
	for packager in deb rpm; do
		go run $nfpm package --config packaging/nfpm.yaml --packager $packager --target "$out"
	done
done
[ "$what" = release ] || exit 0

for ARCH in ${ARCHES:-amd64 arm64}; do
	name=junctor-$version-linux-$ARCH
	tree=$BUILT/$name
	mkdir -p "$tree"
	cp -r "$BUILT/linux-$ARCH/junctor" "$BUILT/man" "$BUILT/completion" ./*.md LICENSE docs \
		packaging "$tree"
	tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$BUILT" -c "$name" |
		gzip -9n >"$out/$name.tar.gz"
	# Of the program, not of the source: in a git worktree or an archive the tool does not find the version of that.
	go run $sbom bin -json -std -noserial -notimestamp -version "$version" -output "$out/$name.cdx.json" \
		"$BUILT/linux-$ARCH/junctor"
done
cd "$out"
sha256sum -- *.deb *.rpm *.tar.gz *.cdx.json >SHA256SUMS
