// heartbeat INTERVAL_MS NAME=FILE…
//
// Raises the decimal counter in each file every INTERVAL_MS milliseconds, with fdatasync, and says once a second how
// far they are and how long the slowest write of that second took:
//
//     heartbeat root=1234 data=567 slowest_ms=3.1
//
// Each file holds the last counter that reached its disk. Going back to a snapshot takes the number back, in the file
// and in this line. A file is never created: one that is missing, or whose disk fails, shows as "-" and is tried again
// every second, so that a data disk can come later or go away.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { counters_max = 8 };

struct counter {
    const char *name; // as given, "NAME=FILE"; only the part before the sign is printed
    const char *path;
    int file; // -1 while it is not open
    unsigned long long value;
};

static double milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void resume(struct counter *c) {
    char text[24] = "";
    c->file = open(c->path, O_RDWR | O_CLOEXEC);
    if (c->file < 0) return;
    if (pread(c->file, text, sizeof text - 1, 0) >= 0) c->value = strtoull(text, NULL, 10);
}

// The text never gets shorter, so writing it over the old one in place is enough, and within one sector.
static void advance(struct counter *c) {
    char text[24];
    int length = snprintf(text, sizeof text, "%llu\n", c->value + 1);
    if (pwrite(c->file, text, length, 0) == length && fdatasync(c->file) == 0) {
        c->value++;
    } else {
        close(c->file);
        c->file = -1;
    }
}

static void report(const struct counter *counters, int count, double slowest) {
    char line[512];
    int n = snprintf(line, sizeof line, "heartbeat");
    for (int i = 0; i < count && n < (int)sizeof line - 96; i++) {
        const struct counter *c = &counters[i];
        int name_length = (int)strcspn(c->name, "=");
        if (name_length > 32) name_length = 32;
        if (c->file < 0) n += snprintf(line + n, sizeof line - n, " %.*s=-", name_length, c->name);
        else n += snprintf(line + n, sizeof line - n, " %.*s=%llu", name_length, c->name, c->value);
    }
    n += snprintf(line + n, sizeof line - n, " slowest_ms=%.1f\n", slowest);
    // One write, so that lines of others do not end up in the middle. A console that is gone must not stop the writes.
    if (write(STDOUT_FILENO, line, n) != n) return;
}

int main(int argc, char **argv) {
    struct counter counters[counters_max] = {0};
    int count = argc - 2;
    long interval_ms = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (interval_ms < 1 || interval_ms > 60000 || count > counters_max) {
        fprintf(stderr, "usage: heartbeat INTERVAL_MS NAME=FILE...\n");
        return 64;
    }
    for (int i = 0; i < count; i++) {
        char *sign = strchr(argv[i + 2], '=');
        counters[i] = (struct counter){argv[i + 2], sign ? sign + 1 : argv[i + 2], -1, 0};
    }
    struct timespec interval = {interval_ms / 1000, interval_ms % 1000 * 1000000};
    double slowest = 0, report_at = 0;
    for (;;) {
        double now = milliseconds();
        if (now >= report_at) {
            for (int i = 0; i < count; i++)
                if (counters[i].file < 0) resume(&counters[i]);
            if (report_at > 0) report(counters, count, slowest);
            report_at = now + 1000;
            slowest = 0;
        }
        for (int i = 0; i < count; i++) {
            if (counters[i].file < 0) continue;
            double start = milliseconds();
            advance(&counters[i]);
            double took = milliseconds() - start;
            if (took > slowest) slowest = took;
        }
        nanosleep(&interval, NULL);
    }
}
