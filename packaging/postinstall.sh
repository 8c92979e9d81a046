#!/bin/sh
# Runs after an installation and after an upgrade, of the .deb and of the .rpm. DPKG_ROOT is where they are installed, as a
# rule empty.
set -e

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers junctor.conf
elif ! id junctor >/dev/null 2>&1; then
	useradd --system --home-dir /var/lib/junctor --shell /usr/sbin/nologin junctor
fi
for path in "$DPKG_ROOT/etc/junctor" "$DPKG_ROOT/etc/junctor/junctor.yaml"; do
	if [ -e "$path" ]; then # an upgrade does not bring back what was removed
		chgrp junctor "$path"
	fi
done

if [ -d "$DPKG_ROOT/run/systemd/system" ]; then
	systemctl daemon-reload
	systemctl try-restart junctor.service # after an upgrade; a first installation starts nothing
fi
