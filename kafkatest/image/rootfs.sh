#!/bin/sh
# rootfs.sh FOLDER: make FOLDER/rootfs.tar, a small Java, the C libraries it needs, bash and busybox, all from this
# machine. It needs a JDK (jlink) and busybox-static.
set -eu
tar=$1/rootfs.tar
out=$1/rootfs
rm -rf "$out"
mkdir -p "$out"/bin "$out"/lib "$out"/etc "$out"/tmp "$out"/proc "$out"/sys "$out"/dev "$out"/opt/kafka/config "$out"/opt/kafka/libs \
  "$out"/etc/kafka/docker "$out"/etc/kafka/secrets "$out"/mnt/shared/config "$out"/var/lib/kafka/data
jlink --strip-debug --no-header-files --no-man-pages --output "$out/jre" --add-modules \
java.base,java.desktop,java.logging,java.management,java.naming,java.rmi,java.security.jgss,java.security.sasl,java.sql,jdk.crypto.ec,jdk.jcmd,jdk.management,jdk.unsupported,jdk.zipfs
for lib in awt_xawt splashscreen fontmanager javajpeg lcms jsound mlib_image; do rm -f "$out/jre/lib/lib$lib.so"; done

cp /bin/busybox "$out/bin/"
for command in $(/bin/busybox --list); do ln -s busybox "$out/bin/$command" 2>/dev/null || :; done
cp /bin/bash "$out/bin/bash"
ln -s /jre/bin/java "$out/bin/java"

# Libraries keep their paths. Those that Java opens by name while it runs stand beside the C library.
c=$(dirname "$(ldd /bin/bash | awk '/libc\.so/{print $3}')")
{
  for file in "$out"/jre/bin/java "$out"/jre/lib/*.so "$out"/jre/lib/server/*.so /bin/bash; do
    LD_LIBRARY_PATH=$out/jre/lib ldd "$file" | awk '/=> \//{print $3} /^[ \t]*\/lib/{print $1}'
  done | grep -v /jre/
  for lib in gcc_s.so.1 stdc++.so.6 resolv.so.2 nss_files.so.2 nss_dns.so.2 rt.so.1 pthread.so.0 dl.so.2 m.so.6; do
    for at in "$c" "/usr$c"; do [ ! -e "$at/lib$lib" ] || { echo "$at/lib$lib"; break; }; done
  done
} | sort -u | while read -r lib; do
  mkdir -p "$out$(dirname "$lib")"
  cp -L "$lib" "$out$lib"
done

ln -sf /proc/mounts "$out/etc/mtab"
printf 'root:x:0:0:root:/:/bin/sh\nappuser:x:1000:1000::/tmp:/bin/sh\n' >"$out/etc/passwd"
printf 'root:x:0:\nappuser:x:1000:\n' >"$out/etc/group"
printf 'hosts: files dns\n' >"$out/etc/nsswitch.conf"
chmod 1777 "$out/tmp"
chmod a+rwX "$out"/opt/kafka "$out"/opt/kafka/config "$out"/etc/kafka "$out"/etc/kafka/docker "$out"/etc/kafka/secrets \
  "$out"/mnt/shared/config "$out"/var/lib/kafka/data
tar -C "$out" --owner=0 --group=0 -cf "$tar" .
rm -rf "$out"
