/// The shells for which there is a completion script. Each hands the words up to the cursor to `verity-bpf --complete`
/// and leaves file names to the shell itself, which knows how to quote them.
enum CompletionScript: String, ArgumentChoice {
  case bash, zsh, fish

  var text: String {
    switch self {
    case .bash:
      #"""
      # bash completion of verity-bpf
      _verity_bpf() {
        local current=${COMP_WORDS[COMP_CWORD]} words=() answer word
        # An equals sign is a word of its own here.
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do [[ $word == = ]] || words+=("$word"); done
        [[ $current != = ]] || current=
        COMPREPLY=()
        mapfile -t answer < <("$1" --complete "${words[@]}" "$current" 2>/dev/null)
        case ${answer[0]} in
          words)
            for word in "${answer[@]:1}"; do
              word=${word%%$'\t'*}
              [[ $word != "$current"* ]] || COMPREPLY+=("$word")
            done
            compopt +o bashdefault +o default 2>/dev/null ;;
          directories) compopt +o bashdefault +o default -o dirnames 2>/dev/null ;;
          nothing) compopt +o bashdefault +o default 2>/dev/null ;;
        esac
      }
      complete -o bashdefault -o default -F _verity_bpf verity-bpf
      """#
    case .zsh:
      #"""
      #compdef verity-bpf
      _verity_bpf() {
        local -a answer proposals
        local line
        answer=("${(@f)$($words[1] --complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
        [[ $PREFIX != --*=* ]] || compset -P '--*='
        case $answer[1] in
          files) _files ;;
          directories) _files -/ ;;
          words)
            for line in "${(@)answer[2,-1]}"; do
              proposals+=("${${line%%$'\t'*}//:/\\:}${${(M)line%$'\t'*}/$'\t'/:}")
            done
            _describe word proposals ;;
        esac
      }
      if [ "$funcstack[1]" = _verity-bpf ]; then _verity_bpf "$@"; else compdef _verity_bpf verity-bpf; fi
      """#
    case .fish:
      #"""
      # fish completion of verity-bpf
      function __verity_bpf_complete
        set -l words (commandline -opc)
        set -l current (commandline -ct)
        set -l answer ($words[1] --complete $words[2..] "$current" 2>/dev/null)
        set -l option (string match -r -- '^--[^=]*=' $current)
        set -l value (string replace -r -- '^--[^=]*=' '' $current)
        switch "$answer[1]"
          case files
            printf "$option%s\n" (__fish_complete_path "$value")
          case directories
            printf "$option%s\n" (__fish_complete_directories "$value" '')
          case words
            test (count $answer) -gt 1; and printf "$option%s\n" $answer[2..]
        end
      end
      complete -c verity-bpf -f -a '(__verity_bpf_complete)'
      """#
    }
  }
}
