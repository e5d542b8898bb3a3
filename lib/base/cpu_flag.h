/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CPU has, against what a piece of code was compiled for: so that a program that was built for another machine
 * says so instead of dying of an illegal instruction. Sets of flags are bit masks; empty where the CPU is no x86-64. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum cpu_flag {
#define CPU_FLAG(name, macro, leaf, reg, bit, xcr0) CPU_FLAG_##name,
#include "base/cpu_flag.def"
#undef CPU_FLAG
	CPU_FLAGS
};

#define CPU_FLAG_TEXT(macro) #macro
#define CPU_FLAG_IS_1(macro) (sizeof(CPU_FLAG_TEXT(macro)) == sizeof("1")) /* else it is its own name */
#define CPU_FLAGS_TEXT_MAX   256

/* What the code around this expression is compiled for: a constant. */
#define CPU_FLAGS_COMPILED ((uint32_t)cpu_flags_compiled)
enum {
	cpu_flags_compiled = 0
#define CPU_FLAG(name, macro, leaf, reg, bit, xcr0) | CPU_FLAG_IS_1(macro) << CPU_FLAG_##name
#include "base/cpu_flag.def"
#undef CPU_FLAG
};

/* What the CPU has and the operating system lets programs use. */
uint32_t cpu_flags(void);

/* Their names, with commas between: "avx2, bmi2". */
const char *cpu_flags_text(uint32_t flags, char text[CPU_FLAGS_TEXT_MAX]);
