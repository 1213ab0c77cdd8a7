/* Memory that a program need not keep. */

#include "resident.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is not writable is in the file, too, and is mapped from there again when it is needed. */
static void segment_trim(uintptr_t begin, uintptr_t size, uintptr_t page) {
        uintptr_t first = begin & ~(page - 1);
        uintptr_t end = (begin + size + page - 1) & ~(page - 1);

        (void) madvise((void *) first, end - first, MADV_DONTNEED);
}

static int object_trim(struct dl_phdr_info *object, size_t size, void *userdata) {
        const uintptr_t *page = userdata;

        (void) size;
        for (size_t i = 0; i < object->dlpi_phnum; i++) {
                const ElfW(Phdr) *header = &object->dlpi_phdr[i];
                if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
                        segment_trim(object->dlpi_addr + header->p_vaddr, header->p_memsz, *page);
        }
        return 0;
}

void resident_trim(void) {
        uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

        (void) dl_iterate_phdr(object_trim, &page);
        (void) malloc_trim(0);
}
