#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a script can check about the sources. Each check is a function or a script beside this one that prints what is
# wrong, one finding a line, and fails when there is any. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

# The project's own text files. There may be no git here: an unpacked archive is checked as well.
sources() {
	find . \( -path './build*' -o -path './.git' -o -name __pycache__ -o -name demo-report.html \) -prune -o -type f -print | sort
}

c_sources() {
	sources | grep '\.[ch]$'
}

shell_sources() {
	sources | xargs grep -lE '^#!/bin/(ba)?sh' -m 1
}

format_check() {
	c_sources | xargs clang-format --dry-run -Werror 2>&1
}

shell_check() {
	shell_sources | xargs shellcheck --external-sources --severity=style
}

python_check() {
	sources | grep '\.py$' | PYTHONDONTWRITEBYTECODE=1 xargs python3 -W error -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name, encoding="utf-8").read(), name)'
}

# The wrong configurations are wrong on purpose, some of them in their bytes.
spelling_check() {
	sources | grep -v '^./test/unit/configs/bad/' | xargs codespell --ignore-words test/lint/spelling_ok.txt
}

licence_check() {
	local file wrong=0
	while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' && continue
		echo "$file: the first lines do not name the licence (SPDX-License-Identifier: BSD-3-Clause)"
		wrong=1
	done < <(sources | grep -E '\.([ch]|def|sh|py|service|bpf\.c)$|/meson(\.build|_options\.txt)$|^\./run$|^\./\.ci/run$')
	return $wrong
}

# Work that was put off, and paths of the machine that the sources were written on. The words are spelled in two
# parts, or this file would be its own finding.
words_check() {
	local words='TO''DO|FIX''ME|XX''X|HA''CK|not impl''emented'
	! sources | xargs grep -nIE "\b($words)\b|$PWD/"
}

size_check() {
	c_sources | xargs python3 test/lint/size_check.py
}

include_check() {
	c_sources | xargs python3 test/lint/include_check.py
}

# Warnings are errors in the build itself (gcc, ./run build); the other compiler finds other things.
clang_check() {
	[ -e build-clang/build.ninja ] || CC=clang meson setup build-clang || return 1
	ninja -C build-clang --quiet || return 1
}

passed=0 failed=0
for check in format shell python spelling licence words size include clang; do
	if findings=$("${check}_check" 2>&1); then
		echo "ok      $check"
		passed=$((passed + 1))
	else
		echo "FAILED  $check"
		printf '%s\n' "$findings" | grep -v '^\(Compiler for\|Program\|Dependency\|Library\) ' | head -n 60
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
