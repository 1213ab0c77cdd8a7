/* A look into the dynamic symbol table of an ELF64 file, with every offset checked (elf(5)). */

#include "elf-symbol.h"

#include <elf.h>
#include <string.h>

#include "base/file.h"
#include "sdk/buf.h"

#define PLUGIN_SIZE_MAX (64U * 1024 * 1024)

typedef struct Image {
        const char *data;
        size_t size;
} Image;

static const void *at(const Image *image, uint64_t offset, uint64_t size) {
        if (offset > image->size || size > image->size - offset)
                return NULL;
        return image->data + offset;
}

/* The same for a structure, which the file must keep where the machine can read it. */
static const void *structure_at(const Image *image, uint64_t offset, uint64_t size) {
        return offset % _Alignof(Elf64_Shdr) == 0 ? at(image, offset, size) : NULL;
}

static const Elf64_Shdr *section_at(const Image *image, const Elf64_Ehdr *header, size_t i) {
        if (header->e_shentsize != sizeof(Elf64_Shdr) || i >= header->e_shnum)
                return NULL;
        return structure_at(image, header->e_shoff + i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static bool has_name(const Image *image, const Elf64_Shdr *strings, uint32_t offset,
                     const char *name) {
        size_t n = strlen(name) + 1;
        const char *text = strings && offset < strings->sh_size && n <= strings->sh_size - offset
                                   ? at(image, strings->sh_offset + offset, n)
                                   : NULL;
        return text && memcmp(text, name, n) == 0;
}

/* The file bytes behind a virtual address. */
static const void *loaded_at(const Image *image, const Elf64_Ehdr *header, uint64_t address,
                             uint64_t size) {
        for (size_t i = 0; i < header->e_phnum && header->e_phentsize == sizeof(Elf64_Phdr); i++) {
                const Elf64_Phdr *program = structure_at(
                        image, header->e_phoff + i * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
                if (!program)
                        return NULL;
                if (program->p_type == PT_LOAD && address >= program->p_vaddr &&
                    address - program->p_vaddr < program->p_filesz &&
                    size <= program->p_filesz - (address - program->p_vaddr))
                        return at(image, program->p_offset + (address - program->p_vaddr), size);
        }
        return NULL;
}

static const void *find(const Image *image, const Elf64_Ehdr *header, const Elf64_Shdr *table,
                        const char *name, size_t size) {
        const Elf64_Shdr *strings = section_at(image, header, table->sh_link);

        for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
                const Elf64_Sym *symbol = structure_at(
                        image, table->sh_offset + i * sizeof(Elf64_Sym), sizeof(Elf64_Sym));
                if (!symbol)
                        return NULL;
                if (has_name(image, strings, symbol->st_name, name) && symbol->st_size >= size)
                        return loaded_at(image, header, symbol->st_value, size);
        }
        return NULL;
}

int elf_read_symbol(const char *path, const char *name, void *ret, size_t size, MrError *err) {
        _cleanup_buf_ MrBuf file = {};

        int r = read_file_capped(path, PLUGIN_SIZE_MAX, &file, err);
        if (r < 0)
                return r;
        Image image = {.data = mr_buf_text(&file), .size = file.size};
        const Elf64_Ehdr *header = at(&image, 0, sizeof(Elf64_Ehdr));
        if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
            header->e_ident[EI_CLASS] != ELFCLASS64)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is no shared object of this machine; remove it", path);
        /* The table stands at the end of the file: when it is whole, nothing was cut off. */
        if (header->e_shnum > 0 && !section_at(&image, header, header->e_shnum - 1U))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is cut off or damaged; install the plugin again, or remove it",
                               path);
        for (size_t i = 0; i < header->e_shnum; i++) {
                const Elf64_Shdr *section = section_at(&image, header, i);
                const void *found = section && section->sh_type == SHT_DYNSYM
                                            ? find(&image, header, section, name, size)
                                            : NULL;
                if (found) {
                        memcpy(ret, found, size);
                        return 0;
                }
        }
        return mr_fail(err, MR_INVALID, NULL,
                       "%s exports no data symbol %s of the right size; remove it", path, name);
}
