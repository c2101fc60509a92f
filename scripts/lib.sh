# Shared by the scripts here; `. scripts/lib.sh`.

say() { printf '%s\n' "$*"; }
fail() { printf '\nspellwire: %s\n' "$*" >&2; exit 1; }

# $1: what is missing; the rest: its Debian packages. As root they are installed, otherwise the command is shown.
debian() {
  what=$1; shift
  command -v apt-get >/dev/null || fail "$what is missing; install it with your system's package manager ($*)"
  [ "$(id -u)" = 0 ] || fail "$what is missing; run: sudo apt-get install $*"
  say "installing $what ($*)"
  apt=$(mktemp)
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    >/dev/null 2>"$apt" || { cat "$apt" >&2; rm -f "$apt"; fail "apt-get could not install $*"; }
  rm -f "$apt"
}

# Is a shared library on this system? (libGL.so.1)
has_library() { { /sbin/ldconfig -p || ldconfig -p; } 2>/dev/null | grep -q "$1"; }
