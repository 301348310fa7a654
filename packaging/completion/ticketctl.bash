# SPDX-License-Identifier: BSD-2-Clause
# bash completion for ticketctl; made by: ticketctl help --bash-completion
_ticketctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local i w cmd= words= subs= skip= globals=" -c --config -s --socket -t --timeout --json -q --quiet -h --help --version"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        w=${COMP_WORDS[i]}
        if [ -n "$skip" ]; then skip=; continue; fi
        case $w in
        -c|--config|-s|--socket|-t|--timeout) skip=1 ;;
        -*) ;;
        *) case $cmd in
           '') cmd=$w ;;
           agent|notify|sla|queue|config|model) cmd="$cmd $w" ;;
           esac ;;
        esac
    done
    case $prev in
    -c|--config|-s|--socket|-o|--output|--out|--model|--trainer)
        COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --missed) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --state)
        case $cmd in
        queue*) w="ready claimed deferred parked done" ;;
        *) w="reserved new open pending resolved closed withdrawn refused"
           w="$w merged" ;;
        esac
        COMPREPLY=($(compgen -W "$w" -- "$cur")); return ;;
    esac
    case $cmd in
    "") words=" submit explain extract replay list show log raw set comment assign resolve reopen close merge split link forget agent notify sla queue itsm directory status shadow verify backup restore config model token-key reload ping help" ;;
    "submit") words=" -f --from -r --rcpt -o --output --remaining --queue-id --client-addr --client-name --helo --login -n --dry-run --missed" ;;
    "explain") words=" -f --from -r --rcpt --offline --redacted --now" ;;
    "extract") words=" -o --output" ;;
    "replay") words=" --since --until --desk --limit --against --recorded --model --only-changes" ;;
    "list") words=" --desk --state --group --assignee --requester --text --since --limit --before" ;;
    "show") words="" ;;
    "log") words=" --since --limit" ;;
    "raw") words=" --message" ;;
    "set") words="" ;;
    "comment") words=" --public" ;;
    "assign") words=" --group --to --auto" ;;
    "resolve") words="" ;;
    "reopen") words="" ;;
    "close") words="" ;;
    "merge") words="" ;;
    "split") words="" ;;
    "link") words="" ;;
    "forget") words=" --yes" ;;
    "agent list") words=" --group" ;;
    "agent away") words=" --until --from --note --reassign" ;;
    "agent back") words="" ;;
    "notify list") words="" ;;
    "notify optout") words=" --back --desk --reachable" ;;
    "notify preview") words=" --on --to --language --html" ;;
    "notify test") words=" --to" ;;
    "sla list") words=" --due --limit" ;;
    "sla show") words="" ;;
    "queue list") words=" --state --limit" ;;
    "queue show") words="" ;;
    "queue retry") words="" ;;
    "queue park") words="" ;;
    "queue drop") words="" ;;
    "queue edit") words=" --payload --target --force" ;;
    "itsm list") words="" ;;
    "itsm test") words=" --create --from" ;;
    "itsm moved") words="" ;;
    "directory lookup") words=" --cached" ;;
    "directory test") words="" ;;
    "directory flush") words="" ;;
    "status") words="" ;;
    "shadow") words="" ;;
    "verify") words="" ;;
    "backup") words="" ;;
    "restore") words="" ;;
    "config test") words="" ;;
    "config dump") words=" -n --changed" ;;
    "model train") words=" -o --out --from-store --since --date --seed --subject-weight --workers --trainer" ;;
    "model retrain") words=" --model --since --force --no-reload --date --seed --trainer" ;;
    "model rollback") words=" --model --no-reload" ;;
    "model test") words=" --model --from-store --since" ;;
    "model predict") words=" --model" ;;
    "model show") words=" --model" ;;
    "token-key") words="" ;;
    "reload") words="" ;;
    "ping") words="" ;;
    "help") words=" --rows --bash-completion" ;;
    "agent") subs=" list away back" ;;
    "notify") subs=" list optout preview test" ;;
    "sla") subs=" list show" ;;
    "queue") subs=" list show retry park drop edit" ;;
    "itsm") subs=" list test moved" ;;
    "directory") subs=" lookup test flush" ;;
    "config") subs=" test dump" ;;
    "model") subs=" train retrain rollback test predict show" ;;
    esac
    case $cur in
    -*) COMPREPLY=($(compgen -W "$words $globals" -- "$cur")); return ;;
    esac
    case $cmd in
    "") COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    agent|notify|sla|queue|config|model) COMPREPLY=($(compgen -W "$subs" -- "$cur")) ;;
    explain|extract|backup|restore|"config test"|"model t"*|"model retrain")
        COMPREPLY=($(compgen -f -- "$cur")) ;;
    help)
        COMPREPLY=($(compgen -W " submit explain extract replay list show log raw set comment assign resolve reopen close merge split link forget agent notify sla queue itsm directory status shadow verify backup restore config model token-key reload ping help" -- "$cur")) ;;
    esac
}
complete -o filenames -F _ticketctl ticketctl
