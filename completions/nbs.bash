# SPDX-License-Identifier: Apache-2.0
# Completion of nbs for bash: nbs itself says what may come next.
_nbs() {
  local words word candidate cut=""
  # From the line itself: readline would split a.b=v at the "=".
  read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
  [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  word=${words[-1]}
  # Of a word with "=", readline replaces what lies behind the last one.
  [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && cut=${word%"${word##*=}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("${candidate#"$cut"}")
  done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
  # The value follows the "=" at once.
  ((${#COMPREPLY[@]})) && [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o default -o bashdefault -F _nbs nbs
