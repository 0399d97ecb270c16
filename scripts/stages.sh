# The stages of ./test. Sourced by it, after lib.sh. Each stage writes to its log, records what it counted and returns non-zero when it failed.

# record PASSED FAILED
record() { printf '%d %d\n' "$1" "$2" >>"$counts"; }
sum_counts() { tail -n "+$1" "$counts" | awk '{p += $1; f += $2} END {print p + 0, f + 0}'; }

failure_excerpt() {
  local named
  named=$(grep -E '^\[  FAILED  \] .*[^)]$|^not ok |^ *✖ |error:|ERROR:|WARNING: ThreadSanitizer|runtime error:|Failure$' "$1" | sort -u | head -30 || true)
  { [ -z "$named" ] || printf '%s\n' "$named"; printf -- '--- last lines of %s\n' "${1#"$root_dir"/}"; tail -25 "$1"; } | sed 's/^/    /'
}

stage_format() {
  scripts/format --check || return 1
  record 1 0
}

stage_layers() {
  scripts/check_layers || return 1
  record 1 0
}

build_in() {
  local preset=$1
  shift
  configure "$preset" "${configure_options[@]}" && ninja -C "build/$preset" "$@"
}

stage_build() {
  local configure_options=()
  build_in release || return 1
  record 1 0
}

# run_gtest PROGRAM RESULT: the counts come from the program's own report; a crash counts as one failure.
run_gtest() {
  local program=$1 result=$2 passed failed total code=0
  rm -f "$result"
  printf '\n===== %s\n' "$program"
  timeout -k 5 "${TEST_SECONDS:-300}" "$program" --gtest_output="json:$result" --gtest_brief=1 || code=$?
  total=$(sed -n 's/^  "tests": \([0-9]*\),.*/\1/p' "$result" 2>/dev/null | head -1)
  failed=$(sed -n 's/^  "failures": \([0-9]*\),.*/\1/p' "$result" 2>/dev/null | head -1)
  if [ -z "$total" ]; then
    printf 'error: %s ended with code %d and no report\n' "$program" "$code"
    record 0 1
    return 1
  fi
  if [ "$code" != 0 ] && [ "$failed" = 0 ]; then
    printf 'error: %s ended with code %d although its tests passed\n' "$program" "$code"
    failed=1
    total=$((total + 1))
  fi
  passed=$((total - failed))
  record "$passed" "$failed"
  [ "$failed" = 0 ]
}

# Every *_test under build/PRESET, two at a time, with a PostgreSQL in the environment.
run_units() {
  local preset=$1 programs=() program
  shift
  mapfile -t programs < <(find "build/$preset/src" -name '*_test' -type f -perm -u+x | sort)
  [ "${#programs[@]}" -gt 0 ] || { echo "error: no test program was built"; return 1; }
  mkdir -p "$results/$preset"
  local wanted=()
  for program in "${programs[@]}"; do
    if [ $# -eq 0 ] || [[ " $* " == *" $(basename "$program") "* ]]; then wanted+=("$program"); fi
  done
  export counts results root_dir
  export -f run_gtest record
  printf '%s\n' "${wanted[@]}" | scripts/with_postgres xargs -P 2 -I{} bash -c '
    log=$(mktemp); code=0
    run_gtest "{}" "$results/'"$preset"'/$(basename {}).json" >"$log" 2>&1 || code=1
    cat "$log"; rm -f "$log"; exit $code'
}

stage_unit() { run_units release; }

stage_web() {
  npm_install "$root_dir/web" || return 1
  local code=0 report=$results/vitest.json
  rm -f "$report"
  cd web
  local tool
  for tool in "tsc -b" "eslint ."; do
    # shellcheck disable=SC2086
    if npx --no-install $tool; then record 1 0; else echo "error: $tool"; record 0 1; code=1; fi
  done
  npx --no-install vitest run --reporter=default --reporter=json --outputFile="$report" || code=1
  if [ -s "$report" ]; then
    record "$(sed 's/.*"numPassedTests":\([0-9]*\).*/\1/' "$report" | head -1)" "$(sed 's/.*"numFailedTests":\([0-9]*\).*/\1/' "$report" | head -1)"
  else
    record 0 1
  fi
  cd ..
  build_web || code=1
  return "$code"
}

# run_node_tests FOLDER: one file of tests after the other; each has its own server and clients, and two cores are
# two browsers' worth.
run_node_tests() {
  local folder=$1 file code=0 tap passed failed
  npm_install "$root_dir/$folder" || return 1
  [ -x build/release/src/app/televisit ] || { local configure_options=(); build_in release televisit || return 1; }
  mkdir -p "$results/$folder"
  for file in "$folder"/*.test.mjs; do
    tap=$results/$folder/$(basename "$file" .test.mjs).tap
    printf '\n===== %s\n' "$file"
    timeout -k 10 "${BROWSER_SECONDS:-400}" scripts/with_postgres node --test --test-reporter=spec --test-reporter-destination=stdout \
      --test-reporter=tap --test-reporter-destination="$tap" "$file" || code=1
    passed=$(sed -n 's/^# pass \([0-9]*\)/\1/p' "$tap" 2>/dev/null)
    failed=$(awk '/^# (fail|cancelled) / {n += $3} END {print n + 0}' "$tap" 2>/dev/null)
    if [ -z "$passed" ]; then passed=0 failed=1; echo "error: $file did not finish"; fi
    record "$passed" "$failed"
  done
  return "$code"
}

stage_interop() { run_node_tests tests/interop; }

stage_browser() { build_web && run_node_tests tests/browser; }

sanitizer_environment() {
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1
  export TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1:suppressions=$root_dir/scripts/tsan.supp
  ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-19)
  export ASAN_SYMBOLIZER_PATH TSAN_SYMBOLIZER_PATH=$ASAN_SYMBOLIZER_PATH
  export TEST_SECONDS=600
}

# One tree serves asan and fuzz: both are clang with the same sanitizers, and a tree costs minutes.
sanitized_tree=(-DTELEVISIT_TESTS=ON)

stage_asan() {
  local configure_options=("${sanitized_tree[@]}")
  sanitizer_environment
  build_in fuzz && run_units fuzz
}

fuzz_one() {
  local target=$1 name log code=0
  name=$(basename "$target")
  log=$results/fuzz/$name.log
  mkdir -p "$results/fuzz/$name"
  local folders=("$results/fuzz/$name")
  [ ! -d "fuzz/corpus/${name%_fuzz}" ] || folders+=("fuzz/corpus/${name%_fuzz}")
  timeout -k 5 $((FUZZ_SECONDS + 60)) "$target" -max_total_time="$FUZZ_SECONDS" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$results/fuzz/$name-" "${folders[@]}" >"$log" 2>&1 || code=$?
  printf '\n===== %s: code %d, %s runs\n' "$name" "$code" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  if [ "$code" = 0 ]; then record 1 0; return; fi
  tail -40 "$log"
  echo "error: $name failed; keep its input: build/test/fuzz/$name-*, beside the corpus, as a test"
  record 0 1
  return 1
}

stage_fuzz() {
  local configure_options=("${sanitized_tree[@]}") targets=()
  sanitizer_environment
  build_in fuzz || return 1
  mkdir -p "$results/fuzz"
  mapfile -t targets < <(find build/fuzz/fuzz -maxdepth 1 -name '*_fuzz' -type f -perm -u+x | sort)
  [ "${#targets[@]}" -gt 0 ] || { echo "error: no fuzz target was built"; return 1; }
  export FUZZ_SECONDS=${FUZZ_SECONDS:-20} counts results
  export -f fuzz_one record
  printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'fuzz_one {}'
}

threaded_tests=(net_test http_test rtc_test sfu_test engine_test)

stage_tsan() {
  local configure_options=("-DTELEVISIT_MODULES=base;json;crypto;telemetry;net;storage;http;rtc;sfu;engine") present=() name
  sanitizer_environment
  configure tsan "${configure_options[@]}" || return 1
  for name in "${threaded_tests[@]}"; do
    if ninja -C build/tsan -t query "$name" >/dev/null 2>&1; then present+=("$name"); else echo "error: there is no $name"; return 1; fi
  done
  ninja -C build/tsan "${present[@]}" && run_units tsan "${present[@]}"
}

# A file that passed with the same headers and the same list is not asked again.
tidy_one() {
  local file=$1 key
  key=$(cat "$file" <(printf '%s' "$tidy_base") | sha256sum | cut -d' ' -f1)
  [ ! -e "$tidy_cache/$key" ] || return 0
  if clang-tidy-19 -p build/fuzz --quiet "$file" 2>/dev/null; then : >"$tidy_cache/$key"; else echo "error: clang-tidy: $file"; return 1; fi
}

stage_tidy() {
  local configure_options=("${sanitized_tree[@]}") files=()
  build_in fuzz || return 1
  tidy_cache=${XDG_CACHE_HOME:-$HOME/.cache}/televisit/tidy
  mkdir -p "$tidy_cache"
  tidy_base=$(find src -name '*.h' | sort | xargs cat .clang-tidy | sha256sum | cut -d' ' -f1)
  export tidy_cache tidy_base
  export -f tidy_one
  mapfile -t files < <(find src -name '*.cpp' ! -name '*_test.cpp' | sort)
  printf '%s\n' "${files[@]}" | xargs -P 2 -I{} bash -c 'tidy_one {}' || return 1
  record "${#files[@]}" 0
}
