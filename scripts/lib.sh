# Shared by ./run, ./test and scripts/*. Sourced, never run. The caller has set `set -euo pipefail`.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }

# fail "what is wrong" "what to do about it"
fail() {
  printf '\nerror: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '  fix: %s\n' "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env=DEBIAN_FRONTEND "$@"
  else
    fail "packages are missing and this is neither root nor is sudo installed" \
      "run as root: apt-get install $(missing_packages_of_last_call)"
  fi
}

missing_packages_of_last_call() { printf '%s' "${missing_packages[*]:-}"; }

# install_missing FILE...: installs the packages named in the files that dpkg does not have, and nothing else.
install_missing() {
  local wanted=() name
  missing_packages=()
  mapfile -t wanted < <(grep -hv -e '^#' -e '^$' "$@")
  for name in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing_packages+=("$name")
  done
  install_packages
}

# Node 18 or newer and npm, whoever installed them; Debian's own when there is none.
install_node() {
  missing_packages=()
  local major=0
  if command -v node >/dev/null; then major=$(node -p 'process.versions.node.split(".")[0]'); fi
  if [ "$major" -ge 18 ] && command -v npm >/dev/null; then return; fi
  if [ "$major" -gt 0 ] && [ "$major" -lt 18 ]; then
    fail "Node.js $(node --version) is too old for the web app" "install Node 18 or newer, or remove it so that Debian's own is used"
  fi
  missing_packages=(nodejs npm)
  install_packages
}

install_packages() {
  [ "${#missing_packages[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get here: ${missing_packages[*]}" \
    "Televisit is built on Debian 12; use it, or install their equivalents"
  step "installing ${#missing_packages[@]} packages: ${missing_packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p "$root_dir/build"
  local log=$root_dir/build/apt.log
  if ! as_root apt-get update >"$log" 2>&1; then
    tail -5 "$log" >&2
    fail "apt-get update failed (whole log: build/apt.log)" "check the network and /etc/apt/sources.list, then start again"
  fi
  if ! as_root apt-get install -y --no-install-recommends "${missing_packages[@]}" >>"$log" 2>&1; then
    tail -15 "$log" >&2
    fail "apt-get install failed (whole log: build/apt.log)" \
      "try by hand: apt-get install --no-install-recommends ${missing_packages[*]}"
  fi
}

# npm_install DIR: npm ci, only when the lock file is not the one that was installed.
npm_install() {
  local dir=$1 want have=
  want=$(sha256sum "$dir/package-lock.json" | cut -d' ' -f1)
  [ ! -f "$dir/node_modules/.installed-lock" ] || have=$(cat "$dir/node_modules/.installed-lock")
  [ "$want" != "$have" ] || return 0
  step "npm ci in ${dir#"$root_dir"/}"
  if ! (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error); then
    fail "npm ci failed in ${dir#"$root_dir"/}" "check the network and 'npm config get registry', then start again"
  fi
  printf '%s' "$want" >"$dir/node_modules/.installed-lock"
}

# The web app, only when a source is newer than the last build.
build_web() {
  local dir=$root_dir/web
  npm_install "$dir"
  if [ -f "$dir/dist/index.html" ] && [ -z "$(find "$dir" -path "$dir/node_modules" -prune -o -path "$dir/dist" -prune -o -type f \
    -newer "$dir/dist/index.html" -print -quit)" ]; then
    return 0
  fi
  step "building the web app"
  (cd "$dir" && npm run --silent build) || fail "the web app does not build" "cd web && npm run build"
}

# configure PRESET [cmake options]: once per build folder, and again when the options change.
configure() {
  local preset=$1 dir=$root_dir/build/$1 log want
  shift
  want="$preset $* $(sha256sum "$root_dir/CMakePresets.json" | cut -d' ' -f1)"
  if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/.configured-with" 2>/dev/null)" = "$want" ]; then return 0; fi
  mkdir -p "$dir"
  log=$dir/configure.log
  if ! (cd "$root_dir" && cmake --preset "$preset" "$@") >"$log" 2>&1; then
    tail -30 "$log" >&2
    return 1
  fi
  printf '%s' "$want" >"$dir/.configured-with"
}

# Status of an HTTP GET, with nothing but bash; empty when nobody answers.
http_status() {
  local host=$1 port=$2 path=$3
  (
    exec 3<>"/dev/tcp/$host/$port" || exit 0
    printf 'GET %s HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' "$path" "$port" >&3
    IFS=' ' read -r -t 5 _ status _ <&3 || true
    printf '%s' "${status:-}"
  ) 2>/dev/null
}

# One member of run.json, which the server writes one way only.
json_member() { sed -n 's/.*"'"$2"'"[[:space:]]*:[[:space:]]*"\{0,1\}\([^",}]*\)"\{0,1\}.*/\1/p' "$1" | head -1; }
