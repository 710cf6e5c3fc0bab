// Pixels through a chain of colour, in place.

struct Params {
    pixels: u32,
    // Always 0.
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Red, green and blue together.
@group(0) @binding(1) var<storage, read_write> pixels: array<f32>;
@group(0) @binding(2) var<storage, read_write> beyond: atomic<u32>;

fn opaque_zero() -> u32 {
    return params.zero;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.pixels) {
        return;
    }
    let at = 3u * id.x;
    let pixel = vec3<f32>(pixels[at], pixels[at + 1u], pixels[at + 2u]);
    let bits = bitcast<vec3<u32>>(pixel);
    let count = u32(is_beyond(bits.x)) + u32(is_beyond(bits.y)) + u32(is_beyond(bits.z));
    if (count != 0u) {
        atomicAdd(&beyond, count);
    }
    let rgb = colored(pixel);
    pixels[at] = rgb.x;
    pixels[at + 1u] = rgb.y;
    pixels[at + 2u] = rgb.z;
}
