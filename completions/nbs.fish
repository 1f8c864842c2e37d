# SPDX-License-Identifier: Apache-2.0
# Completion of nbs for fish: nbs itself says what may come next. Files are offered where it has nothing to say.
function __nbs_candidates
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c nbs -n 'test (count (__nbs_candidates)) -gt 0' -f -a '(__nbs_candidates)'
