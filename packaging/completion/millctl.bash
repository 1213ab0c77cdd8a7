# Completion of millctl for bash. The words come from millctl itself, so that there is nothing to keep in step here.

_millctl_words() {
        mapfile -t COMPREPLY < <(compgen -W "$(millctl "${global[@]}" completion "$@" 2>/dev/null)" -- "$cur")
}

_millctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= i
        local -a global=() words=()

        for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                --socket | --context)
                        global=(--socket "${COMP_WORDS[++i]}")
                        ;;
                -n | --namespace | -o | --output | -f | --filename | --platform | --reason | --for | --timeout | -l | --selector)
                        ((i++))
                        ;;
                -*) ;;
                *)
                        if [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; else words+=("${COMP_WORDS[i]}"); fi
                        ;;
                esac
        done

        case $prev in
        --socket | --context | -f | --filename)
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                [[ $verb == logs ]] || return
                ;;
        -o | --output)
                case $verb in
                get) mapfile -t COMPREPLY < <(compgen -W "wide yaml json name" -- "$cur") ;;
                explain) mapfile -t COMPREPLY < <(compgen -W "markdown man" -- "$cur") ;;
                plan) mapfile -t COMPREPLY < <(compgen -W "text json manifests" -- "$cur") ;;
                describe) mapfile -t COMPREPLY < <(compgen -W "yaml json" -- "$cur") ;;
                secret) mapfile -t COMPREPLY < <(compgen -W "yaml" -d -- "$cur") ;;
                esac
                return
                ;;
        --platform)
                _millctl_words platforms
                return
                ;;
        --for)
                mapfile -t COMPREPLY < <(compgen -W "condition=Ready delete" -- "$cur")
                return
                ;;
        -n | --namespace | -l | --selector | --reason | --timeout | --lines | --since | --heap)
                return
                ;;
        esac

        if [[ -z $verb ]]; then
                if [[ $cur == -* ]]; then
                        mapfile -t COMPREPLY < <(compgen -W "--socket --help --version" -- "$cur")
                else
                        _millctl_words verbs
                fi
                return
        fi
        if [[ $cur == -* ]]; then
                _millctl_words options "$verb"
                return
        fi

        case $verb in
        help) _millctl_words verbs ;;
        hold | release | logs | renew | discard) _millctl_words nodes ;;
        backup | restore | bundle) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        restart)
                if ((${#words[@]} > 0)); then _millctl_words names "${words[0]}"; else
                        _millctl_words nodes
                        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$(millctl "${global[@]}" completion kinds 2>/dev/null)" -- "$cur")
                fi
                ;;
        secret)
                case ${words[0]:-} in
                get) _millctl_words names secrets ;;
                "") mapfile -t COMPREPLY < <(compgen -W "list get" -- "$cur") ;;
                esac
                ;;
        explain)
                if [[ $cur == *.* ]]; then _millctl_words fields "${cur%.*}"; else _millctl_words kinds; fi
                compopt -o nospace 2>/dev/null
                ;;
        get | describe | delete | plan | wait | crd | pause | resume)
                if ((${#words[@]} > 0)); then _millctl_words names "${words[0]}"; else _millctl_words kinds; fi
                ;;
        esac
}

complete -F _millctl millctl
