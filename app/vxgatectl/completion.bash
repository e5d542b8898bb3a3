# SPDX-License-Identifier: BSD-3-Clause
# Completion of vxgatectl for bash. The program itself knows what can follow.
_vxgatectl() {
	local words typed line
	# Not COMP_WORDS: bash breaks words at '=' and ':' there.
	line=${COMP_LINE:0:COMP_POINT}
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	typed=${words[-1]}
	if [[ ${words[-2]-} == --socket ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$typed")
		return
	fi
	mapfile -t COMPREPLY < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
	# What bash will replace starts after the last of its own word breaks.
	local broken=
	[[ $typed == *=* && $COMP_WORDBREAKS == *=* ]] && broken=${typed%=*}=
	COMPREPLY=("${COMPREPLY[@]#"$broken"}")
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _vxgatectl vxgatectl
