// The chains of chains.py in plain C: one loop over pixels, floats, what a good C programmer writes first.
#include <math.h>
#include <stdint.h>

typedef uint8_t u8;
typedef struct { // uniforms of chains.py
    float gain, contrast, gamma, saturation, tint[3], cx, cy, unit, inner, slope, darkness;
} look;

static inline float clampf(float v, float low, float high) { return v < low ? low : v > high ? high : v; }

static inline void grade_pixel(float r, float g, float b, float m, const u8 *restrict back, u8 *restrict out,
                               float x, float yy, const look *l, int curved) {
    float v[3] = {r, g, b};
    for (int c = 0; c < 3; c++) {
        v[c] = (v[c] * l->gain - 0.5f) * l->contrast + 0.5f;
        if (curved)
            v[c] = powf(fmaxf(v[c], 0.0f), l->gamma);
    }
    float grey = 0.2126f * v[0] + 0.7152f * v[1] + 0.0722f * v[2];
    float dx = (x + 0.5f - l->cx) * l->unit;
    float t = clampf((dx * dx + yy - l->inner) * l->slope, 0.0f, 1.0f);
    float f = 1.0f - t * t * (3.0f - 2.0f * t) * l->darkness;
    for (int c = 0; c < 3; c++) {
        float w = (grey + (v[c] - grey) * l->saturation) * l->tint[c];
        float k = back[c] * (1.0f / 255.0f);
        w = (k + (w - k) * m) * f;
        out[c] = (u8)(clampf(w, 0.0f, 1.0f) * 255.0f + 0.5f);
    }
}

void grade(const u8 *restrict image, const u8 *restrict mask, const u8 *restrict back, u8 *restrict out,
           const float *restrict numbers, int width, int height, int curved) {
    const look l = *(const look *)numbers;
    const float unit = 1.0f / 255.0f;
    for (int y = 0; y < height; y++) {
        float dy = (y + 0.5f - l.cy) * l.unit;
        for (int x = 0; x < width; x++) {
            long i = (long)y * width + x;
            const u8 *p = image + 3 * i;
            grade_pixel(p[0] * unit, p[1] * unit, p[2] * unit, mask[i] * unit, back + 3 * i, out + 3 * i,
                        (float)x, dy * dy, &l, curved);
        }
    }
}

static inline int held(int v, int high) { return v < 0 ? 0 : v > high ? high : v; }

void bloom(const u8 *restrict image, const u8 *restrict mask, const u8 *restrict back, u8 *restrict out,
           const float *restrict numbers, int width, int height, int curved, float threshold,
           const float *restrict weights, int radius, float *restrict scratch) {
    const look l = *(const look *)numbers;
    const float unit = 1.0f / 255.0f;
    const long row = 3L * width;
    float *bright = scratch, *soft = scratch + row * height;
    for (long i = 0; i < row * height; i++)
        bright[i] = fmaxf(image[i] * unit - threshold, 0.0f);
    for (int y = 0; y < height; y++) { // along columns, whole rows at a time
        float *to = soft + y * row;
        for (long i = 0; i < row; i++)
            to[i] = bright[y * row + i] * weights[0];
        for (int k = 1; k <= radius; k++) {
            const float *a = bright + held(y - k, height - 1) * row, *b = bright + held(y + k, height - 1) * row;
            const float w = weights[k];
            for (long i = 0; i < row; i++)
                to[i] += w * (a[i] + b[i]);
        }
    }
    for (int y = 0; y < height; y++) {
        float dy = (y + 0.5f - l.cy) * l.unit;
        float *from = soft + y * row, *to = bright + y * row;
        for (long i = 0; i < row; i++)
            to[i] = from[i] * weights[0];
        for (int k = 1; k <= radius; k++) { // the middle in one dense loop, the ends by clamped places
            const float w = weights[k];
            int low = k < width ? k : width, high = width - k > low ? width - k : low;
            for (int x = 0; x < width; x = x + 1 == low && low < high ? high : x + 1) {
                if (x >= low && x < high)
                    continue;
                for (int c = 0; c < 3; c++)
                    to[3 * x + c] += w * (from[3 * held(x - k, width - 1) + c] + from[3 * held(x + k, width - 1) + c]);
            }
            for (long i = 3L * low; i < 3L * high; i++)
                to[i] += w * (from[i - 3L * k] + from[i + 3L * k]);
        }
        for (int x = 0; x < width; x++) {
            long i = (long)y * width + x;
            const u8 *p = image + 3 * i;
            const float *s = bright + 3 * i;
            grade_pixel(p[0] * unit + s[0], p[1] * unit + s[1], p[2] * unit + s[2], mask[i] * unit, back + 3 * i,
                        out + 3 * i, (float)x, dy * dy, &l, curved);
        }
    }
}

void memory(const u8 *restrict image, const u8 *restrict mask, const u8 *restrict back, u8 *restrict out, long pixels) {
    for (long i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = image[3 * i + c] ^ back[3 * i + c];
    u8 seen = 0;
    for (long i = 0; i < pixels; i++)
        seen ^= mask[i];
    out[0] ^= seen;
}
