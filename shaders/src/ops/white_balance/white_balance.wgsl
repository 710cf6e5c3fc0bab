fn white_balance(value: f32, gain: f32) -> f32 {
    return value * gain;
}
