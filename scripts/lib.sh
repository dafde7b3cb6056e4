# Shared by the scripts of this folder: the package lists, and how to get from a bare Debian machine
# to a built directory. Must never touch the caller's umask, stdin, descriptors or directory: what
# runs afterwards is the user's program. Sourced by the others, not run.
# shellcheck shell=bash disable=SC2034  # the lists are read by the scripts that source this file

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
self=scripts/${0##*/}
# Debian's own where it exists: one from elsewhere may miss modules or be slow to start.
python=/usr/bin/python3
[[ -x $python ]] || python=python3

# What a release build needs.
build_packages=(
  meson ninja-build g++ pkg-config scdoc
  libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libtomlplusplus-dev
  libunwind-dev libdw-dev libelf-dev libiberty-dev libsqlite3-dev libsystemd-dev
  zlib1g-dev libzstd-dev libarchive-dev libncurses-dev libxxhash-dev libcurl4-openssl-dev
)
# What the tests need besides.
test_packages=(
  libgtest-dev libgmock-dev tmux zsh libacl1-dev clang clang-format clang-tidy cppcheck shellcheck
  libclang-rt-dev liburing-dev musl-tools busybox-static
  python3 python3-gdbm strace acl attr git tar util-linux sqlite3 btrfs-progs libcap2-bin
  fakeroot libeatmydata1 faketime libjemalloc2 libgoogle-perftools4 libmimalloc2.0
  python3-jsonschema python3-pytest python3-yaml jq zstd cmark-gfm mandoc man-db
  e2fsprogs dosfstools xfsprogs bindfs openssl
)
# Large programs that some tests record or drive; those tests skip where they are missing.
program_packages=(
  nodejs php8.2-cli ruby postgresql valgrind gdb rustc golang-go default-jdk-headless nginx
  chromium chromium-driver rsync logrotate ccache python3-pip python3-setuptools python3-wheel
  python3-greenlet
  clickhouse-server clickhouse-client
)

# Packages of npm that Debian does not have: axe-core, which checks the HTML report; DuckDB, an
# engine of a fleet (a version range does not match its versions, which all have a suffix);
# OpenTelemetry's protocol (later versions have only parts of it). Tests skip where one is missing.
npm_packages=(axe-core@4 @duckdb/node-api@latest @opentelemetry/otlp-transformer@0.203.0)

say() { printf '%s: %s\n' "$self" "$*" >&2; }
die() {
  say "error: $*"
  exit 125
}

# quietly LABEL COMMAND...: runs COMMAND without input and shows its output only if it fails.
quietly() {
  local label=$1 output
  shift
  if ! output=$("$@" 2>&1 </dev/null); then
    printf '%s\n' "$output" >&2
    say "error: $label failed"
    return 1
  fi
}

# missing_packages PACKAGE...: prints those that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null || true)
  local package
  for package in "$@"; do
    grep -qxF "ii $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
  [[ $EUID -eq 0 ]] || apt=(sudo -n "${apt[@]}")
  # The lists may be missing or name versions that are gone: fetch them only then.
  "${apt[@]}" install --no-install-recommends "$@" && return
  "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"
}

# ensure_packages PACKAGE...: installs what is missing; false, with one line that says what to do,
# if that cannot be done. Without dpkg nothing is known, and meson will name what it lacks.
ensure_packages() {
  command -v dpkg-query >/dev/null || return 0
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $EUID -ne 0 ]] && ! sudo -n true 2>/dev/null </dev/null; then
    say "missing packages, and no root to install them; run: sudo apt-get install ${missing[*]}"
    return 1
  fi
  # Printed first, so that the user has the time to stop it.
  say "installing these ${#missing[@]} Debian packages, and what they depend on:"
  printf '%s\n' "${missing[*]}" | fold -s -w 76 | sed 's/^/    /; s/ *$//' >&2
  if [[ $EUID -ne 0 && -t 2 ]]; then
    say "by sudo apt-get install; Ctrl-C within 5 seconds stops that"
    sleep 5
  fi
  quietly "installing ${missing[*]}" apt_install "${missing[@]}"
}

# ensure_npm: the packages of npm that tests use, below build/npm. One command installs all of them:
# npm removes the packages that its last command did not name.
ensure_npm() {
  local package folder
  command -v npm >/dev/null || return 0
  for package in "${npm_packages[@]}"; do
    folder=$root/build/npm/node_modules/${package%@*}
    [[ -d $folder ]] && continue
    quietly "installing packages of npm" npm install --prefix "$root/build/npm" --no-save \
      --no-audit --no-fund --ignore-scripts "${npm_packages[@]}"
    return
  done
}

# ensure_build DIR OPTIONS [TARGET...]: configures DIR with the words of OPTIONS if it is new, and
# builds. Two of these may run at once: the second waits.
ensure_build() {
  local build=$1 options
  read -ra options <<<"$2"
  shift 2
  (
    umask 022
    mkdir -p "${build%/*}" && exec 9>"$build.lock" && flock 9 || exit 1
    if [[ ! -e $build/build.ninja ]]; then
      say "building in ${build#"$root/"}, once"
      rm -rf "$build"  # remains of an interrupted set-up
      quietly "configuring" meson setup "$build" "$root" "${options[@]}" || exit 1
    fi
    quietly "building" ninja -C "$build" "$@"
  ) </dev/null
}
