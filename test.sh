#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last line is the count.
#   ./test.sh            everything: release build with unit, component, scenario and interop tests; then the core's
#                        tests under ASan+UBSan, those with threads under TSan, and each fuzz target for a few seconds
#   ./test.sh release    one part only: release, asan, tsan or fuzz
# Only what fails is printed, then the count. FUZZ_SECONDS (5) is the time of a fuzz target, FUZZ_SEED (1) where it starts:
# the same inputs in each run, so that a change is judged by what it changes; FUZZ_SEED=0 is another seed each time.
set -uo pipefail
cd "$(dirname "$0")"
parts=(release asan tsan fuzz)
case "${1:-}" in
  "") ;;
  release | asan | tsan | fuzz) parts=("$1") ;;
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "unknown part '$1'; see ./test.sh --help" >&2; exit 2 ;;
esac

deploy/install-packages.sh build demo test || exit 1
jobs=$(nproc)
passed=0 failed=0 failures=()
reports=build/reports
mkdir -p $reports

count() {  # count PART: adds the cases of a ctest run's JUnit file
  local file=$reports/$1.xml total bad name
  [ -s "$file" ] || { failed=$((failed + 1)); failures+=("$1: no report"); return; }
  total=$(grep -o '<testcase ' "$file" | wc -l)
  bad=$(grep -c '<testcase .*status="fail"\|<testcase .*status="notrun"' "$file")
  passed=$((passed + total - bad)) failed=$((failed + bad))
  while read -r name; do failures+=("$1: $name"); done < <(grep '<testcase .*status="\(fail\|notrun\)"' "$file" | sed 's/.*name="\([^"]*\)".*/\1/')
}

# Many tests hold sockets, threads and servers that we did not write, on machines that are busy with something else: one
# that fails is asked once more, and named. What a sanitizer reports is never asked twice.
sanitizer_report='ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: '
run_tests() {  # run_tests REPORT PRESET CTEST-OPTION…
  local name=$1 preset=$2
  shift 2
  ctest --preset "$preset" -j "$jobs" "$@" --repeat until-pass:2 --output-junit "$PWD/$reports/$name.xml" --no-tests=error |
    tee "$reports/$name.log" | failures_only
  count "$name"
  grep -o ': [A-Za-z_.]* \.*\*\*\*[A-Z][a-z]*' "$reports/$name.log" | sed 's/: \([A-Za-z_.]*\) .*\*\*\*\(.*\)/ASKED AGAIN \1: \2/'
}

failures_only() { grep -vE '^ *Start +[0-9]+: |^ *([0-9]+/[0-9]+)? +Test +#[0-9]+: .* Passed +[0-9.]+ sec$'; }

build() {  # build PRESET TARGET [CMAKE-OPTION…]
  local preset=$1 target=$2
  shift 2
  cmake --preset "$preset" "$@" >$reports/$preset-configure.log 2>&1 || { cat $reports/$preset-configure.log; return 1; }
  cmake --build --preset "$preset" --target "$target" -- -j "$jobs" >$reports/$preset-build.log 2>&1 || { grep -E 'error|FAILED' -A5 $reports/$preset-build.log | head -60; return 1; }
}

for part in "${parts[@]}"; do
  started=$SECONDS
  echo "== $part"
  case $part in
    release)
      build release all -DGODWIT_TESTS=ON -DGODWIT_BENCH=ON || { failed=$((failed + 1)); failures+=("release: does not build"); continue; }
      run_tests release release -LE 'scenario|interop'
      run_tests processes release -L 'scenario|interop' ;;
    asan | tsan)
      label=core; [ $part = tsan ] && label=threads
      build $part ${label}_tests || { failed=$((failed + 1)); failures+=("$part: does not build"); continue; }
      run_tests $part $part -L $label
      if grep -qE "$sanitizer_report" $reports/$part.log; then failed=$((failed + 1)); failures+=("$part: a sanitizer's report"); fi ;;
    fuzz)
      build fuzz fuzz_targets || { failed=$((failed + 1)); failures+=("fuzz: does not build"); continue; }
      for target in build/fuzz/bin/fuzz_*; do
        name=$(basename "$target"); name=${name#fuzz_}
        corpus=$(mktemp -d) seeds=tests/fuzz/corpus/$name
        [ -d "$seeds" ] || seeds=
        if "$target" "$corpus" $seeds -seed="${FUZZ_SEED:-1}" -max_total_time="${FUZZ_SECONDS:-5}" -timeout=10 -rss_limit_mb=2048 \
            -artifact_prefix=$reports/ >$reports/fuzz-$name.log 2>&1; then
          echo "fuzz_$name: $(grep -o 'DONE.*' $reports/fuzz-$name.log | tail -1)"; passed=$((passed + 1))
        else
          grep -E 'ERROR|error:|SUMMARY|Base64|^ +#[0-9]+ 0x' $reports/fuzz-$name.log | head -40; failed=$((failed + 1)); failures+=("fuzz: $name")
        fi
        rm -rf "$corpus"
      done ;;
  esac
  echo "== $part took $((SECONDS - started)) s"
done

for name in "${failures[@]}"; do echo "FAILED $name"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
