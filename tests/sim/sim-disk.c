/* Storage class "disks": a disk for each claim. A disk is blank until a claim takes it, and is not
 * blank again when the claim is gone; it can be taken out and put in again. */

#include <string.h>

#include "sdk/str.h"
#include "sim.h"

#define DISK_SIZE (INT64_C(8) << 30)

bool sim_disk_is_wanted(const MrTree *step) {
        return mr_streq(mr_tree_get_string(step, "storage_class"), "disks");
}

/* "there" or "away" for each claim that has a disk; the host knows it by the unit of its mount. */
static const char *disk_of(const Sim *sim, const char *claim) {
        return mr_tree_get_string(sim->disks, claim);
}

const char *sim_disk_take(Sim *sim, const char *claim) {
        const char *disk = disk_of(sim, claim);

        if (mr_streq(disk, "away"))
                return "the disk of the claim is not mounted";
        if (disk)
                return NULL;
        if (sim->n_blank == 0)
                return "storage class disks has no blank disk left";
        sim->n_blank--;
        mr_tree_set_string(sim->disks, claim, "there");
        return NULL;
}

void sim_disk_note(Sim *sim, const char *name, MrTree *claim) {
        if (disk_of(sim, name))
                mr_tree_set_int(claim, "capacity", DISK_SIZE);
}

void sim_disk_give_back(Sim *sim, const char *claim) {
        if (mr_streq(disk_of(sim, claim), "away"))
                sim_violated(sim, "claim %s was removed, and its disk is not there", claim);
        mr_tree_remove(sim->disks, claim);
}

void sim_disk_take_out(Sim *sim, const char *claim) {
        mr_tree_set(sim->away, claim, mr_tree_copy(mr_tree_get(sim->claims, claim)));
        mr_tree_remove(sim->claims, claim);
        mr_tree_set_string(sim->disks, claim, "away");
        sim_host_changed(sim);
}

void sim_disk_put_in(Sim *sim, const char *claim) {
        if (mr_tree_get(sim->claims, claim))
                sim_violated(sim, "claim %s was made without its disk", claim);
        mr_tree_set(sim->claims, claim, mr_tree_copy(mr_tree_get(sim->away, claim)));
        mr_tree_remove(sim->away, claim);
        mr_tree_set_string(sim->disks, claim, "there");
        sim_host_changed(sim);
}
