#!/usr/bin/env bash
# Tests the logic of ./brownout without root, network or compiler: a copy of the launcher in a tree of its
# own, with a PATH on which all that installs or builds is a stub that records its calls.
#
# Usage: launcher_test.sh REPOSITORY
set -euo pipefail

readonly repository=${1:?usage: launcher_test.sh REPOSITORY}
work=$(mktemp -d)
readonly work
readonly tree="$work/a tree with blanks"
readonly bin=$work/bin
export STUBS=$work/stubs
trap 'rm -rf -- "$work"' EXIT

check_name='set-up'

fail() {
  printf 'launcher_test: %s: %s\n' "$check_name" "$*" >&2
  printf -- '--- calls\n%s\n--- stdout\n%s\n--- stderr\n%s\n' \
    "$(cat "$STUBS/calls")" "$(cat "$work/out")" "$(cat "$work/err")" >&2
  exit 1
}

# ---- the machine

# stub NAME: the body comes from stdin, after the line that records the call.
stub() {
  {
    printf '#!/usr/bin/env bash\nset -euo pipefail\n'
    # shellcheck disable=SC2016 # for the stub to expand
    printf 'printf "%%s\\n" "%s $*" >>"$STUBS/calls"\n' "$1"
    cat
  } >"$bin/$1"
  chmod +x "$bin/$1"
}

make_bin() {
  local tool
  mkdir -p "$bin"
  for tool in bash cat chmod env find flock grep mkdir mv nproc readlink rm sed sleep touch; do
    ln -s "$(type -P "$tool")" "$bin/$tool"
  done
}

make_package_stubs() {
  stub g++ <<<''
  stub npm <<<''
  stub sudo <<<'exec "$@"'
  stub dpkg-query <<'STUB'
while IFS= read -r package; do
  printf 'installed %s\n' "$package"
done <"$STUBS/installed"
printf 'not-installed something-else\n'
exit 1
STUB
  stub apt-get <<'STUB'
echo "words of apt-get"
if [[ " $* " == *' update '* ]]; then
  rm -f "$STUBS/lists-are-empty"
  exit
fi
[[ ! -e $STUBS/lists-are-empty && ! -e $STUBS/install-fails ]] || exit 100
for argument; do
  case $argument in
    -* | DPkg* | install) ;;
    *) printf '%s\n' "$argument" >>"$STUBS/installed" ;;
  esac
done
STUB
}

make_build_stubs() {
  stub cmake <<'STUB'
printf 'cmake ran in %s\n' "$PWD" >>"$STUBS/places"
dir=build/$2
mkdir -p "$dir"
: >"$dir/build.ninja"
for argument; do
  [[ $argument != -D*=ON ]] || printf '%s:BOOL=ON\n' "${argument:2:-3}" >>"$dir/CMakeCache.txt"
done
STUB
  stub ninja <<'STUB'
dir=$2
echo "@1/1 Building CXX object"
if [[ -e $STUBS/compiler-fails ]]; then
  echo "main.cpp:1:1: error: words of the compiler"
  exit 1
fi
sleep "$(cat "$STUBS/build-seconds")"
[[ ! -e $STUBS/saved-during-build ]] || touch "$(cat "$STUBS/saved-during-build")"
mkdir -p "$dir/sim" "$dir/bench"
cat >"$dir/sim/brownout" <<'PROGRAM'
#!/usr/bin/env bash
printf 'program'
printf ' [%s]' "$PWD" "$@"
printf '\n'
exit "${PROGRAM_EXIT:-0}"
PROGRAM
cat "$dir/sim/brownout" >"$dir/bench/brownout_bench"
chmod +x "$dir/sim/brownout" "$dir/bench/brownout_bench"
if [[ " $* " == *' brownout_explorer '* || $# == 2 ]]; then
  sed 's/program/explorer/' "$dir/sim/brownout" >"$dir/sim/brownout_explorer"
  chmod +x "$dir/sim/brownout_explorer"
fi
STUB
  stub ctest <<'STUB'
echo "summary of $2"
[[ ! -e $STUBS/${2##*/}-fails ]] || exit 8
STUB
}

make_tree() {
  mkdir -p "$tree"/{heap,devices,sim}
  cp -- "$repository/brownout" "$tree/brownout"
  touch "$tree"/{CMakeLists.txt,CMakePresets.json,heap/a.hpp,devices/b.cpp,sim/main.cpp}
}

# ---- what a check says

# A machine with all packages, where nothing has been built.
start() {
  check_name=$1
  rm -rf -- "$STUBS" "$tree/build"
  mkdir -p "$STUBS"
  echo 0 >"$STUBS/build-seconds"
  printf '%s\n' "${build_packages[@]}" "${test_packages[@]}" >"$STUBS/installed"
  : >"$STUBS/calls"
  : >"$STUBS/places"
  : >"$work/out"
  : >"$work/err"
}

# Files of the tree become older than whatever is built from now on, without waiting for the clock.
age_tree() {
  find "$tree" -path "$tree/build" -prune -o -exec touch -d '1 hour ago' {} +
}

# launch EXPECTED_STATUS ARGUMENT...: runs the launcher, with an empty record of calls.
launch() {
  local expected=$1 status=0
  shift
  : >"$STUBS/calls"
  PATH=$bin "${launcher:-$tree/brownout}" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  ((status == expected)) || fail "exit code $status where $expected was expected"
}

start_built() {
  start "$1"
  age_tree
  launch 0
}

called() {
  grep -qE -- "$1" "$STUBS/calls" || fail "no call of '$1'"
}

not_called() {
  ! grep -qE -- "$1" "$STUBS/calls" || fail "a call of '$1'"
}

prints() {
  grep -qF -- "$2" "$work/$1" || fail "std$1 lacks '$2'"
}

prints_nothing() {
  [[ ! -s $work/$1 ]] || fail "std$1 is not empty"
}

# ---- checks

readonly build_packages=(
  g++ cmake ninja-build libyaml-cpp-dev libboost-context-dev libboost-program-options-dev
  nlohmann-json3-dev libfmt-dev libxxhash-dev libhdf5-dev)
readonly test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev clang libclang-rt-dev llvm mawk
  gcc-arm-none-eabi libstdc++-arm-none-eabi-dev)

check_first_run() {
  start 'nothing installed, nothing built'
  : >"$STUBS/installed"
  launch 0 run
  called "^apt-get .*install -y --no-install-recommends ${build_packages[*]//+/\\+}\$"
  not_called 'apt-get .*update'
  called '^cmake --preset release --fresh$'
  called '^ninja -C .*/build/release brownout_cli$'
  prints err 'installing g++ cmake'
  prints out 'program ['
  ! grep -q 'words of apt-get' "$work/err" || fail 'apt-get is not quiet'
}

check_only_missing_are_installed() {
  start 'one package missing'
  printf '%s\n' "${build_packages[@]/libfmt-dev/}" >"$STUBS/installed"
  launch 0
  called '^apt-get .* --no-install-recommends libfmt-dev$'
}

check_npm_is_installed_where_there_is_none() {
  start 'no npm'
  mv "$bin/npm" "$work/npm"
  launch 0
  called '^apt-get .* --no-install-recommends nodejs npm$'
  mv "$work/npm" "$bin/npm"
}

check_empty_lists() {
  start 'empty package lists'
  : >"$STUBS/installed"
  : >"$STUBS/lists-are-empty"
  launch 0
  called '^apt-get .*update$'
  [[ $(grep -c '^apt-get .*install' "$STUBS/calls") == 2 ]] || fail 'install was not tried again'
}

check_install_fails() {
  start 'packages cannot be installed'
  : >"$STUBS/installed"
  : >"$STUBS/install-fails"
  launch 3 run
  prints err 'words of apt-get'
  prints err 'apt-get install -y --no-install-recommends g++'
  prints_nothing out
  not_called '^(cmake|ninja)'
}

check_no_apt() {
  start 'a machine without apt-get'
  mkdir "$STUBS/hidden"
  mv "$bin"/{apt-get,dpkg-query,cmake} "$STUBS/hidden"
  launch 3
  prints err 'cmake is missing, and this machine has no apt-get'
  prints err libyaml-cpp-dev
  mv "$STUBS/hidden/cmake" "$bin"
  launch 0
  mv "$STUBS"/hidden/* "$bin"
}

# Root cannot play a user without sudo, but can become one.
check_no_root() {
  local as_user=()
  start 'neither root nor sudo'
  : >"$STUBS/installed"
  if ((EUID == 0)); then
    type -P setpriv >/dev/null || return 0
    as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 755 "$work"
    mkdir "$tree/build"
    chown -R 65534:65534 "$STUBS" "$tree/build"
  fi
  mv "$bin/sudo" "$work/sudo"
  local status=0
  "${as_user[@]}" env PATH="$bin" "$tree/brownout" >"$work/out" 2>"$work/err" </dev/null || status=$?
  mv "$work/sudo" "$bin/sudo"
  ((status == 3)) || fail "exit code $status"
  prints err 'Run as root: apt-get install -y --no-install-recommends g++'
  not_called '^apt-get'
}

check_all_built() {
  start_built 'all built'
  launch 0 run x
  prints out 'program ['
  prints_nothing err
  [[ ! -s $STUBS/calls ]] || fail 'something was called'
}

check_changes() {
  local change
  for change in 'touch sim/main.cpp' 'touch heap/a.hpp' 'touch CMakeLists.txt' 'touch brownout' \
    'rm devices/b.cpp' 'touch devices/b.cpp' 'mkdir sim/new' 'rmdir sim/new' \
    'rm build/release/sim/brownout'; do
    start_built "after $change"
    (cd -- "$tree" && $change)
    launch 0
    called '^ninja '
    not_called '^(cmake|apt-get)'
    prints_nothing err
    launch 0
    not_called '^ninja '
  done
}

check_change_during_build() {
  start_built 'file saved during the build'
  touch "$tree/heap/a.hpp"
  printf '%s\n' "$tree/sim/main.cpp" >"$STUBS/saved-during-build"
  launch 0
  rm "$STUBS/saved-during-build"
  launch 0
  called '^ninja '
  launch 0
  not_called '^ninja '
}

check_changed_presets() {
  start_built 'presets changed'
  touch "$tree/CMakePresets.json"
  launch 0
  called '^cmake --preset release --fresh$'
}

check_moved_tree() {
  start_built 'tree moved with its build folder'
  mv -- "$tree" "$work/moved"
  launcher=$work/moved/brownout launch 0
  called '^cmake --preset release --fresh$'
  called "^ninja -C $work/moved/build/release "
  mv -- "$work/moved" "$tree"
}

check_build_fails() {
  start_built 'build fails'
  touch "$tree/sim/main.cpp"
  : >"$STUBS/compiler-fails"
  launch 3 run
  prints err 'words of the compiler'
  prints_nothing out
  launch 3 run
  rm "$STUBS/compiler-fails"
  launch 0 run
  called '^ninja '
}

check_arguments() {
  start 'arguments'
  launch 0 run 'two words' '' '*' "quote'\"" --test $'line\nbreak'
  [[ $(cat "$work/out") == "program [$PWD] [run] [two words] [] [*] [quote'\"] [--test] [line"$'\n'"break]" ]] ||
    fail 'the program did not get them as they were'
  PROGRAM_EXIT=7 launch 7
}

check_folder() {
  start 'working folder and links'
  mkdir -p "$work/else where"
  ln -s "$tree/brownout" "$work/else where/link"
  ln -s "$tree" "$work/folder"
  cd -- "$work/else where"
  launcher=./link launch 0 a
  prints out "program [$work/else where] [a]"
  grep -qxF "cmake ran in $tree" "$STUBS/places" || fail 'cmake ran elsewhere'
  launcher=$work/folder/brownout launch 0
  not_called '^ninja '
  launcher='../a tree with blanks/brownout' launch 0
  not_called '^ninja '
  cd -- "$tree"
  launcher=bash launch 0 brownout b
  prints out "program [$tree] [b]"
  not_called '^ninja '
  cd -- "$work"
  CDPATH=$work launcher='a tree with blanks/brownout' launch 0
  not_called '^ninja '
}

check_parallel_calls() {
  local i
  start 'parallel calls'
  age_tree
  echo 0.3 >"$STUBS/build-seconds"
  for i in 1 2 3; do
    PATH=$bin "$tree/brownout" "$i" >>"$work/out" 2>>"$work/err" </dev/null &
  done
  wait
  [[ $(grep -c '^ninja ' "$STUBS/calls") == 1 ]] || fail 'not one build'
  [[ $(grep -c '^program ' "$work/out") == 3 ]] || fail 'not three runs'
}

check_test_command() {
  start 'test'
  printf '%s\n' "${build_packages[@]}" >"$STUBS/installed"
  launch 0 test -R 'a b'
  called "^apt-get .* --no-install-recommends ${test_packages[*]//+/\\+}\$"
  called '^cmake --preset asan -DBROWNOUT_TESTS=ON --fresh$'
  called '^cmake --preset release -DBROWNOUT_TESTS=ON --fresh$'
  called '^ninja -C .*/build/release$'
  called '^ctest --test-dir .*/build/asan --parallel [0-9]+ .*--output-on-failure .*-LE \^\(long\)\$ -R a b$'
  not_called ' -C shards'
  called '^ctest --test-dir .*/build/release '
  [[ $(tail -n 1 "$work/out") == "summary of $tree/build/release" ]] || fail 'the last line is no summary'
  launch 0 test
  called '^ctest --test-dir .*/build/asan .* -C shards -LE \^\(long\|each\)\$$'
  called '^ctest --test-dir .*/build/release .*=error -LE \^\(long\)\$$'
  launch 0 test --long
  not_called '^cmake'
  called '^ctest --test-dir .*/build/asan .* -C shards -LE \^\(each\)\$$'
  called '^ctest --test-dir .*/build/release .*=error$'
  launch 0 test --long -V
  not_called ' -LE '
  not_called ' -C shards'
  launch 0 test --sanitize
  not_called '/build/release'
  launch 0 test --no-sanitize
  not_called '/build/asan'
}

check_failed_tests() {
  start 'tests fail under the sanitizers'
  : >"$STUBS/asan-fails"
  launch 8 test
  prints err 'tests failed in build/asan'
  prints out "summary of $tree/build/release"
  check_name='tests do not build'
  : >"$STUBS/compiler-fails"
  launch 3 test
  prints err 'words of the compiler'
  not_called '^ctest'
}

check_plain_run_needs_no_tests() {
  start 'test after a plain run'
  age_tree
  launch 0
  not_called 'BROWNOUT_TESTS'
  launch 0 test --no-sanitize
  called '^cmake --preset release -DBROWNOUT_TESTS=ON$'
  launch 0
  not_called '^(cmake|ninja)'
}

check_bench() {
  start 'bench'
  launch 0 bench --filter 'x y'
  called '^cmake --preset release -DBROWNOUT_BENCH=ON --fresh$'
  called '^ninja -C .*/build/release brownout_cli brownout_bench$'
  prints out "program [$PWD] [--filter] [x y]"
}

check_explorer() {
  local command
  start_built 'commands of the explorer'
  launch 0 explore a
  called '^ninja -C .*/build/release brownout_cli brownout_explorer$'
  prints out "explorer [$PWD] [explore] [a]"
  for command in explore fuzz replay; do
    launch 0 "$command"
    prints out "explorer [$PWD] [$command]"
    [[ ! -s $STUBS/calls ]] || fail 'something was called'
  done
  launch 0 run explore
  prints out "program [$PWD] [run] [explore]"
  # The program is new, the explorer is not.
  touch "$tree/sim/main.cpp"
  launch 0 run
  called '^ninja -C .*/build/release brownout_cli$'
  launch 0 explore
  called '^ninja '
  launch 0 run
  not_called '^ninja '
}

main() {
  make_bin
  mkdir -p "$STUBS"
  touch "$STUBS/calls" "$work/out" "$work/err"
  make_package_stubs
  make_build_stubs
  make_tree
  check_first_run
  check_only_missing_are_installed
  check_npm_is_installed_where_there_is_none
  check_empty_lists
  check_install_fails
  check_no_apt
  check_no_root
  check_all_built
  check_changes
  check_change_during_build
  check_changed_presets
  check_moved_tree
  check_build_fails
  check_arguments
  check_folder
  check_parallel_calls
  check_test_command
  check_failed_tests
  check_plain_run_needs_no_tests
  check_bench
  check_explorer
  printf 'launcher_test: all checks passed\n'
}

main
