# Shared by the scripts that run tests in build directories of their own: sanitize, coverage. Must
# never count a test as run that was not. Sourced after lib.sh, not run.
# shellcheck shell=bash disable=SC2154  # root and python are lib.sh's

# Words before `meson test`; its limits of time are for programs that are some times as fast.
launch=()
patience=(--timeout-multiplier 10)

# The end-to-end tests whose subject is the reporter, without browsers and without those that record
# races of hundreds of thousands of events: they run hardly a line more (0.3 points at most).
reporter_tests=(
  appeared command_line compare contexts doctor export formats live log losses raw routes top
)

# tests_of NAME ARGUMENT...: `meson test ARGUMENT...` in build/NAME, which builds what that needs.
# Ends with "NAME: N passed, N failed, N skipped".
tests_of() {
  local build=$root/build/$1
  rm -f "$build"/meson-logs/testlog.{json,junit.xml}
  "${launch[@]}" meson test -C "$build" "${patience[@]}" "${@:2}" \
    </dev/null >"$build/meson-logs/console.txt" 2>&1 || true
  "$python" "$root/scripts/summary.py" "$build/meson-logs" "$1"
}

# reporter_tests_of NAME: those tests with the tool of build/NAME; shim and recorded programs are
# build/debug's, for whatever build/NAME adds to programs has no place in a recorded one. Ends with
# "NAME-reporter: N passed, N failed, N skipped".
reporter_tests_of() {
  local build=$root/build/$1 debug=$root/build/debug kind
  ensure_build "$debug" "--buildtype=debugoptimized --werror" &&
    ensure_build "$build" "" reporter/umaskaudit || return 1
  # Where the tool looks for it.
  mkdir -p "$build/preload"
  ln -sf "$debug/preload/libumaskaudit.so" "$build/preload/libumaskaudit.so"
  rm -f "$build"/meson-logs/testlog.{json,junit.xml}
  "${launch[@]}" meson test -C "$debug" --no-rebuild "${patience[@]}" --logbase "$1" \
    --wrapper "env 'TEST_UMASKAUDIT=$build/reporter/umaskaudit'" "${reporter_tests[@]/#/e2e-}" \
    </dev/null >"$build/meson-logs/console.txt" 2>&1 || true
  # meson puts the wrapper's name behind the base.
  for kind in json junit.xml; do
    mv -f "$debug/meson-logs/$1-env.$kind" "$build/meson-logs/testlog.$kind" || true
  done
  "$python" "$root/scripts/summary.py" "$build/meson-logs" "$1-reporter"
}
