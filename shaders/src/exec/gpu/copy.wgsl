// As many bytes as can be, once in and once out: what the memory of a card gives.

@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = id.y * groups.x * 256u + id.x;
    if (at < arrayLength(&result)) {
        result[at] = source[at];
    }
}
