// Debayers mosaics as librtprocess does it: the same questions and answers as demosaic.py.
//
// rtprocess WAY                              mosaics in, pictures out, until the input ends
// rtprocess WAY --time WIDTH HEIGHT --runs N one line of JSON: CPU seconds of the median run on a mosaic made here
//
// WAY is rcd or amaze. The bench compiles it with the library's own files (`--librtprocess`), without OpenMP, so that all
// of it runs on one core. The library is under the GNU GPL and is neither part of platefarm nor linked with it: it is a
// program of its own, which the bench starts.

#include "librtprocess.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

// The library counts white as 65535.
constexpr float white = 65535.f;

struct Picture {
    int width, height;
    std::vector<float> planes[4];
    std::vector<float *> rows[4];

    Picture(int w, int h) : width(w), height(h) {
        for (int p = 0; p < 4; ++p) {
            planes[p].resize(size_t(w) * h);
            for (int y = 0; y < h; ++y) rows[p].push_back(planes[p].data() + size_t(y) * w);
        }
    }

    // Plane 3, the mosaic, into planes 0 to 2.
    bool debayer(const std::string &way) {
        const unsigned rggb[2][2] = {{0, 1}, {1, 2}};
        const std::function<bool(double)> quiet = [](double) { return false; };
        float **r = rows[0].data(), **g = rows[1].data(), **b = rows[2].data();
        const float *const *raw = rows[3].data();
        if (way == "rcd") return rcd_demosaic(width, height, raw, r, g, b, rggb, quiet, 2, false, false) == RP_NO_ERROR;
        // A border below 4 makes it fill the outermost pixels too.
        if (way == "amaze")
            return amaze_demosaic(width, height, 0, 0, width, height, raw, r, g, b, rggb, quiet, 1.0, 3, white, white)
                == RP_NO_ERROR;
        return false;
    }
};

// The bench's own (`Noise` in protocol.rs), evenly within 0 to 1.
struct Noise {
    uint32_t state;

    float uniform() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return float(state >> 8) / 16777216.f;
    }
};

double cpu_seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int clock_it(const std::string &way, int width, int height, int runs) {
    Picture picture(width, height);
    // The mosaic of ours (`textured` in speed.rs), noise included.
    Noise noise{3};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const float waves = std::sin(float(x) * float(y) / 5e4f) * std::cos(float(x) / 7.f);
            picture.planes[3][size_t(y) * width + x] = white * (0.45f + 0.35f * waves + 0.1f * noise.uniform());
        }
    // The first run touches all memory, as ours does.
    if (!picture.debayer(way)) return 1;
    std::vector<double> seconds;
    for (int i = 0; i < std::max(runs, 3); ++i) {
        const double begun = cpu_seconds();
        picture.debayer(way);
        seconds.push_back(cpu_seconds() - begun);
    }
    std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
    std::printf("{\"seconds\": %.9f}\n", seconds[seconds.size() / 2]);
    return 0;
}

int serve(const std::string &way) {
    uint32_t size[2];
    while (std::fread(size, sizeof size, 1, stdin) == 1) {
        Picture picture{int(size[0]), int(size[1])};
        auto &mosaic = picture.planes[3];
        if (std::fread(mosaic.data(), sizeof(float), mosaic.size(), stdin) != mosaic.size()) return 1;
        for (float &v : mosaic) v = std::max(v, 0.f) * white;
        if (!picture.debayer(way)) return 1;
        for (int p = 0; p < 3; ++p) {
            for (float &v : picture.planes[p]) v /= white;
            std::fwrite(picture.planes[p].data(), sizeof(float), picture.planes[p].size(), stdout);
        }
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc == 2) return serve(argv[1]);
    if (argc == 7 && !std::strcmp(argv[2], "--time") && !std::strcmp(argv[5], "--runs"))
        return clock_it(argv[1], std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[6]));
    std::fprintf(stderr, "usage: rtprocess rcd|amaze [--time WIDTH HEIGHT --runs N]\n");
    return 2;
}
