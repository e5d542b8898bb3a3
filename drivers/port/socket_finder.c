/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/socket_finder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

static int by_number(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

void open_files_list(struct open_files *files)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	files->count = 0;
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL && files->count < SOCKET_FINDER_MAX) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory))
			continue;
		files->fd[files->count++] = atoi(entry->d_name);
	}
	closedir(directory);
	/* The kernel gives out the lowest free number: of files opened in one go the oldest has the lowest. */
	qsort(files->fd, files->count, sizeof(files->fd[0]), by_number);
}

static bool is_wanted(int fd, int domain, unsigned interface_index)
{
	struct sockaddr_ll address;
	socklen_t length = sizeof(int);
	int found = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &found, &length) < 0 || found != domain)
		return false;
	if (domain != AF_PACKET)
		return true;
	length = sizeof(address);
	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       (unsigned)address.sll_ifindex == interface_index && address.sll_protocol == htons(ETH_P_ALL);
}

size_t socket_find_new(
	const struct open_files *before, int domain, unsigned interface_index, int *sockets, size_t max)
{
	struct open_files now;
	size_t found = 0;

	open_files_list(&now);
	for (size_t i = 0; i < now.count && found < max; i++) {
		if (bsearch(&now.fd[i], before->fd, before->count, sizeof(before->fd[0]), by_number) ==
				NULL &&
			is_wanted(now.fd[i], domain, interface_index))
			sockets[found++] = now.fd[i];
	}
	return found;
}

int packet_socket_ignore_outgoing(int socket)
{
	/* PACKET_IGNORE_OUTGOING has no effect in a fanout group, and the driver always makes one. */
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = sizeof(instructions) / sizeof(instructions[0]),
		.filter = instructions };

	return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}
