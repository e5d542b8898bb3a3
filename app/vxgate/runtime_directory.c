/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/runtime_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <rte_eal.h>
#include <stdio.h>
#include <unistd.h>

pid_t runtime_directory_holder(void)
{
	/* What the EAL itself asks for: a write lock on the whole file. */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *directory = rte_eal_get_runtime_dir();
	char path[512];
	int fd, rc;

	if (directory == NULL || directory[0] == '\0')
		return 0;
	snprintf(path, sizeof(path), "%s/config", directory);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	rc = fcntl(fd, F_GETLK, &lock);
	close(fd);
	return rc == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

void runtime_directory_remove(void)
{
	const char *path = rte_eal_get_runtime_dir();
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	rmdir(path);
}
