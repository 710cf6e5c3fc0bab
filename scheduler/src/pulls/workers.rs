//! What a pull asks of the workers that render it.

use platefarm_model::farm::{Device, Needs};
use platefarm_model::job::{JobSpec, StepKind};
use platefarm_model::limits;
use platefarm_model::recipe::Backend;

/// Writes into a job what a worker must have to render its plates, and how long
/// they may take, in seconds; 0 is no limit. Plates go where their clips were
/// read before, if they can.
pub fn ask_of_workers(job: &mut JobSpec, wanted: &Needs, frame_limit_s: u32, step_limit_s: u32) {
    for step in &mut job.steps {
        let StepKind::Render(render) = &step.kind else { continue };
        let near = render.source.clone();
        step.terms.needs = wanted.clone();
        if render.backend == Backend::Gpu {
            step.terms.needs.device = Device::Gpu;
        }
        step.terms.frame_limit_s = frame_limit_s;
        step.terms.step_limit_s = step_limit_s;
        // A name that the scheduler would refuse is not worth a pull.
        if near.len() <= limits::MAX_NAME_BYTES && !near.chars().any(char::is_control) {
            step.terms.near.push(near);
        }
    }
}
