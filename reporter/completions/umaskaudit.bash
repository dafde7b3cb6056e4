# Made by `umaskaudit completions`; tests/golden/update makes it anew.
_umaskaudit() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local command=${COMP_WORDS[1]} options i
  COMPREPLY=()
  if [[ $cur == = ]]; then
    cur= prev+==
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}=
  fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W 'run attach snapshot pack report threads timeline top blame check export fleet diff whatif doctor explain rules ls rm clean umask help --help --version' -- "$cur"))
    [[ $cur != */* ]] || COMPREPLY=($(compgen -f -- "$cur"))
    return
  fi
  case $command in run|doctor)
    for ((i = 2; i < COMP_CWORD; i++)); do
      [[ ${COMP_WORDS[i]} == -- ]] || continue
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then
        COMPREPLY=($(compgen -c -- "$cur"))
      else
        COMPREPLY=($(compgen -f -- "$cur"))
      fi
      return
    done
  esac
  case $command:$prev in
    run:--live=) COMPREPLY=($(compgen -W 'all findings' -- "$cur")); return;;
  esac
  case $command:${prev%=} in
    run:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    run:--output|run:-o) COMPREPLY=($(compgen -d -- "$cur")); return;;
    run:--stacks) COMPREPLY=($(compgen -W 'all changes none' -- "$cur")); return;;
    run:--depth) return;;
    run:--keep) COMPREPLY=($(compgen -W 'first latest' -- "$cur")); return;;
    run:--max-size) return;;
    run:--max-run) return;;
    run:--follow) COMPREPLY=($(compgen -W 'yes no' -- "$cur")); return;;
    run:--options) return;;
    run:--see) COMPREPLY=($(compgen -W 'preload all all,fast trace' -- "$cur")); return;;
    run:--live-to) return;;
    run:--format|run:-f) COMPREPLY=($(compgen -W 'text jsonl sarif junit gcc github' -- "$cur")); return;;
    run:--policy) COMPREPLY=($(compgen -f -- "$cur")); return;;
    run:--suppressions) COMPREPLY=($(compgen -f -- "$cur")); return;;
    run:--baseline) COMPREPLY=($(compgen -f -- "$cur")); return;;
    run:--fail-on) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    run:--max-loss) return;;
    run:--max-unrecorded) return;;
    run:--findings) COMPREPLY=($(compgen -f -- "$cur")); return;;
    attach:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    attach:--output|attach:-o) COMPREPLY=($(compgen -d -- "$cur")); return;;
    attach:--for) return;;
    attach:--depth) return;;
    snapshot:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    snapshot:--output|snapshot:-o) COMPREPLY=($(compgen -d -- "$cur")); return;;
    pack:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    pack:--output|pack:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    pack:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    pack:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    report:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    report:--format|report:-f) COMPREPLY=($(compgen -W 'text jsonl json csv markdown html sarif junit' -- "$cur")); return;;
    report:--output|report:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    report:--path) return;;
    report:--pid) return;;
    report:--tid) return;;
    report:--thread) return;;
    report:--call) return;;
    report:--kind) COMPREPLY=($(compgen -W 'file dir fifo socket mqueue shm sem chardev blockdev tmpfile' -- "$cur")); return;;
    report:--rule) COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur")); return;;
    report:--severity) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    report:--since) return;;
    report:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    report:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    report:--sort) COMPREPLY=($(compgen -W 'time path mode mask thread call kind' -- "$cur")); return;;
    report:--limit) return;;
    threads:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    threads:--format|threads:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    threads:--sort) COMPREPLY=($(compgen -W 'count first held longest thread' -- "$cur")); return;;
    threads:--limit) return;;
    threads:--output|threads:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    threads:--path) return;;
    threads:--pid) return;;
    threads:--tid) return;;
    threads:--thread) return;;
    threads:--call) return;;
    threads:--kind) COMPREPLY=($(compgen -W 'file dir fifo socket mqueue shm sem chardev blockdev tmpfile' -- "$cur")); return;;
    threads:--rule) COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur")); return;;
    threads:--severity) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    threads:--since) return;;
    threads:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    threads:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    timeline:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    timeline:--format|timeline:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    timeline:--limit) return;;
    timeline:--output|timeline:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    timeline:--path) return;;
    timeline:--pid) return;;
    timeline:--tid) return;;
    timeline:--thread) return;;
    timeline:--call) return;;
    timeline:--kind) COMPREPLY=($(compgen -W 'file dir fifo socket mqueue shm sem chardev blockdev tmpfile' -- "$cur")); return;;
    timeline:--rule) COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur")); return;;
    timeline:--severity) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    timeline:--since) return;;
    timeline:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    timeline:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    top:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    top:--output|top:-o) COMPREPLY=($(compgen -d -- "$cur")); return;;
    top:--sort) COMPREPLY=($(compgen -W 'changes created latest name pid' -- "$cur")); return;;
    blame:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    blame:--format|blame:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    blame:--output|blame:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    blame:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    blame:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    check:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    check:--output|check:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    check:--format|check:-f) COMPREPLY=($(compgen -W 'text jsonl sarif junit gcc github' -- "$cur")); return;;
    check:--policy) COMPREPLY=($(compgen -f -- "$cur")); return;;
    check:--suppressions) COMPREPLY=($(compgen -f -- "$cur")); return;;
    check:--baseline) COMPREPLY=($(compgen -f -- "$cur")); return;;
    check:--fail-on) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    check:--max-loss) return;;
    check:--max-unrecorded) return;;
    check:--write-baseline) COMPREPLY=($(compgen -f -- "$cur")); return;;
    check:--objects) COMPREPLY=($(compgen -f -- "$cur")); return;;
    check:--path) return;;
    check:--pid) return;;
    check:--tid) return;;
    check:--thread) return;;
    check:--call) return;;
    check:--kind) COMPREPLY=($(compgen -W 'file dir fifo socket mqueue shm sem chardev blockdev tmpfile' -- "$cur")); return;;
    check:--rule) COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur")); return;;
    check:--severity) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    check:--since) return;;
    check:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    check:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    export:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    export:--format|export:-f) COMPREPLY=($(compgen -W 'chrome collapsed sqlite ecs otlp tables' -- "$cur")); return;;
    export:--by) COMPREPLY=($(compgen -W 'creations changes' -- "$cur")); return;;
    export:--to) return;;
    export:--output|export:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    export:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    export:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    fleet:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    fleet:--since) return;;
    fleet:--until) return;;
    fleet:--limit|fleet:-n) return;;
    fleet:--database) COMPREPLY=($(compgen -f -- "$cur")); return;;
    fleet:--format|fleet:-f) COMPREPLY=($(compgen -W 'text html json' -- "$cur")); return;;
    fleet:--output|fleet:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    diff:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    diff:--format|diff:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    diff:--root-a) COMPREPLY=($(compgen -d -- "$cur")); return;;
    diff:--root-b) COMPREPLY=($(compgen -d -- "$cur")); return;;
    diff:--same) return;;
    diff:--limit) return;;
    diff:--output|diff:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    diff:--path) return;;
    diff:--pid) return;;
    diff:--tid) return;;
    diff:--thread) return;;
    diff:--call) return;;
    diff:--kind) COMPREPLY=($(compgen -W 'file dir fifo socket mqueue shm sem chardev blockdev tmpfile' -- "$cur")); return;;
    diff:--rule) COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur")); return;;
    diff:--severity) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    diff:--since) return;;
    diff:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    diff:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    whatif:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    whatif:--umask) return;;
    whatif:--format|whatif:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    whatif:--sort) COMPREPLY=($(compgen -W 'time path' -- "$cur")); return;;
    whatif:--limit) return;;
    whatif:--output|whatif:-o) COMPREPLY=($(compgen -f -- "$cur")); return;;
    whatif:--path) return;;
    whatif:--pid) return;;
    whatif:--tid) return;;
    whatif:--thread) return;;
    whatif:--call) return;;
    whatif:--kind) COMPREPLY=($(compgen -W 'file dir fifo socket mqueue shm sem chardev blockdev tmpfile' -- "$cur")); return;;
    whatif:--rule) COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur")); return;;
    whatif:--severity) COMPREPLY=($(compgen -W 'note warning error' -- "$cur")); return;;
    whatif:--since) return;;
    whatif:--sysroot) COMPREPLY=($(compgen -d -- "$cur")); return;;
    whatif:--debug-dir) COMPREPLY=($(compgen -d -- "$cur")); return;;
    doctor:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    doctor:--format|doctor:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    explain:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    explain:--format|explain:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    explain:--acl) return;;
    explain:--parent) COMPREPLY=($(compgen -d -- "$cur")); return;;
    rules:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    rules:--format|rules:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    ls:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    ls:--format|ls:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    rm:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    clean:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    clean:--keep) return;;
    clean:--older) return;;
    umask:--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return;;
    umask:--pid) return;;
    umask:--format|umask:-f) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return;;
    umask:--diff) return;;
  esac
  case $command in
    run) options='--help -h --quiet -q --verbose -v --color --output -o --append --force --stacks --depth --keep --max-size --max-run --follow --options --see --record-argv --live --live-to --no-summary --check --format -f --policy --suppressions --baseline --fail-on --max-loss --max-unrecorded --findings';;
    attach) options='--help -h --quiet -q --verbose -v --color --output -o --append --force --for --depth --no-summary';;
    snapshot) options='--help -h --quiet -q --verbose -v --color --output -o --force';;
    pack) options='--help -h --quiet -q --verbose -v --color --output -o --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    report) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f --output -o --path --pid --tid --thread --call --kind --rule --severity --since --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native --sort --limit --all --follow --no-appeared --expand-stacks';;
    threads) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f --stacks --sort --limit --output -o --path --pid --tid --thread --call --kind --rule --severity --since --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    timeline) options='--help -h --quiet -q --verbose -v --color --no-pager --all --format -f --limit --output -o --path --pid --tid --thread --call --kind --rule --severity --since --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    top) options='--help -h --quiet -q --verbose -v --color --output -o --append --force --sort --once';;
    blame) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f --output -o --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    check) options='--help -h --quiet -q --verbose -v --color --no-pager --output -o --format -f --policy --suppressions --baseline --fail-on --max-loss --max-unrecorded --validate --write-baseline --for-stripped --objects --path --pid --tid --thread --call --kind --rule --severity --since --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    export) options='--help -h --quiet -q --verbose -v --color --format -f --by --to --output -o --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    fleet) options='--help -h --quiet -q --verbose -v --color --no-pager --list --since --until --limit -n --database --format -f --output -o';;
    diff) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f --root-a --root-b --same --exact --limit --output -o --path --pid --tid --thread --call --kind --rule --severity --since --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    whatif) options='--help -h --quiet -q --verbose -v --color --no-pager --umask --everywhere --format -f --sort --limit --output -o --path --pid --tid --thread --call --kind --rule --severity --since --sysroot --debug-dir --debuginfod --no-symbols --all-frames --native';;
    doctor) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f';;
    explain) options='--help -h --quiet -q --verbose -v --color --no-pager --dir -d --format -f --acl --parent';;
    rules) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f';;
    ls) options='--help -h --quiet -q --verbose -v --color --no-pager --format -f';;
    rm) options='--help -h --quiet -q --verbose -v --color';;
    clean) options='--help -h --quiet -q --verbose -v --color --keep --older --dry-run -n';;
    umask) options='--help -h --quiet -q --verbose -v --color --symbolic -S --print -p --pid --all --format -f --diff';;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ $command == help ]]; then
    COMPREPLY=($(compgen -W 'run attach snapshot pack report threads timeline top blame check export fleet diff whatif doctor explain rules ls rm clean umask' -- "$cur"))
  elif [[ $command == explain ]]; then
    COMPREPLY=($(compgen -W 'window-overlap strict-overlap lost-mask leaked-mask exec-in-window getter-idiom umask-zero chmod-style-argument unseen-writer secret-readable world-writable group-writable create-then-chmod predictable-temp setid-created policy-mode policy-mask policy-call' -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _umaskaudit umaskaudit
