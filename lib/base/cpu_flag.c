/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/cpu_flag.h"

#include <stdio.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

static const char *const name[CPU_FLAGS] = {
#define CPU_FLAG(name, macro, leaf, reg, bit, xcr0) [CPU_FLAG_##name] = #name,
#include "base/cpu_flag.def"
#undef CPU_FLAG
};

#ifdef __x86_64__
#define XCR0_YMM 0x06u
#define XCR0_ZMM 0xe6u

struct cpuid {
	uint32_t eax, ebx, ecx, edx; /* all 0 of a leaf that the CPU does not know */
};

static struct cpuid cpuid_read(uint32_t leaf)
{
	struct cpuid id = { 0 };

	__get_cpuid_count(leaf, 0, &id.eax, &id.ebx, &id.ecx, &id.edx);
	return id;
}

/* The registers that the operating system saves. */
static uint32_t xcr0_read(void)
{
	uint32_t low, high;

	if (!(cpuid_read(1).ecx & bit_OSXSAVE))
		return 0;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

uint32_t cpu_flags(void)
{
	uint32_t flags = 0, saved = xcr0_read();

#define CPU_FLAG(name, macro, leaf, reg, bit, xcr0)                                                          \
	if (cpuid_read(leaf).reg >> (bit)&1 && (saved & (xcr0)) == (xcr0))                                   \
		flags |= UINT32_C(1) << CPU_FLAG_##name;
#include "base/cpu_flag.def"
#undef CPU_FLAG
	return flags;
}
#else
uint32_t cpu_flags(void)
{
	return 0;
}
#endif

const char *cpu_flags_text(uint32_t flags, char text[CPU_FLAGS_TEXT_MAX])
{
	size_t length = 0;

	text[0] = '\0';
	for (uint32_t rest = flags; rest != 0; rest &= rest - 1)
		length += (size_t)snprintf(text + length, CPU_FLAGS_TEXT_MAX - length, "%s%s",
			length > 0 ? ", " : "", name[__builtin_ctz(rest)]);
	return text;
}
