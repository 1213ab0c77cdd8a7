/* Annotations that were understood go. Should that fail, they are told of again. */

#include "live.h"
#include "pace.h"

#define TIMEOUT_SEC 30
/* What failed is not tried again at once. */
#define PATIENCE_USEC (30 * SEC)

struct Answer {
        MrPlatform *platform;
        Answer *next;
        char *what; /* the object and its annotation */
        Request *request;
        uint64_t until_usec; /* it failed: nothing is done before */
};

static void answer_free(Answer *answer) {
        client_cancel(answer->platform->client, answer->request);
        free(answer->what);
        free(answer);
}

void answers_done(MrPlatform *platform) {
        while (platform->answers) {
                Answer *answer = platform->answers;
                platform->answers = answer->next;
                answer_free(answer);
        }
}

static void drop(Answer *answer) {
        Answer **at = &answer->platform->answers;

        while (*at != answer)
                at = &(*at)->next;
        *at = answer->next;
        answer_free(answer);
}

static void on_answered(void *userdata, int r, const MrError *err _unused_,
                        unsigned status _unused_, MrTree *take_answer) {
        Answer *answer = userdata;

        mr_tree_free(take_answer);
        answer->request = NULL;
        if (r >= 0)
                drop(answer);
        else
                answer->until_usec =
                        pace_now(answer->platform->event, CLOCK_MONOTONIC) + PATIENCE_USEC;
}

static bool is_under_way(MrPlatform *platform, const char *what) {
        for (Answer *answer = platform->answers, *next; answer; answer = next) {
                next = answer->next;
                if (!answer->request &&
                    answer->until_usec <= pace_now(platform->event, CLOCK_MONOTONIC))
                        drop(answer);
                else if (mr_streq(answer->what, what))
                        return true;
        }
        return false;
}

static Request *send_removal(Answer *answer, const ApiKind *kind, const char *ns, const char *name,
                             const char *annotation) {
        _cleanup_(mr_tree_freep) MrTree *patch = mr_tree_new_map();
        _cleanup_free_ char *path = api_path(kind, ns, name);
        MrTree *metadata = mr_tree_need_map(patch, "metadata");

        mr_tree_set(mr_tree_need_map(metadata, "annotations"), annotation, mr_tree_new_null());
        return client_request(answer->platform->client,
                              &(RequestArgs){
                                      .method = "PATCH",
                                      .path = path,
                                      .type = "application/merge-patch+json",
                                      .content = patch,
                                      .is_secret = mr_streq(kind->kind, "Secret"),
                                      .timeout_sec = TIMEOUT_SEC,
                                      .done = on_answered,
                                      .userdata = answer,
                              });
}

void kubernetes_answer(MrPlatform *platform, const char *kind, const char *ns, const char *name,
                       const char *annotation) {
        _cleanup_free_ char *what = mr_strf("%s/%s/%s %s", kind, ns, name, annotation);
        const ApiKind *api = NULL;

        for (size_t i = 0; i < api_kinds_size(); i++)
                if (mr_streq(api_kinds[i].kind, kind))
                        api = &api_kinds[i];
        if (!api || is_under_way(platform, what))
                return;
        Answer *answer = mr_new(Answer, 1);
        *answer = (Answer){.platform = platform, .next = platform->answers, .what = TAKE(what)};
        platform->answers = answer;
        answer->request = send_removal(answer, api, ns, name, annotation);
}
