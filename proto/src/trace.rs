//! Traces over the wire: a step carries the context of its submission (W3C
//! Trace Context, "traceparent"), so that what becomes of its frames, on
//! whatever machine, is in one trace. Where no exporter is set up all of this
//! is nothing, and costs nothing.

use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue, global};
use platefarm_model::Fault;
use std::time::SystemTime;

/// The instrumentation scope of all spans.
const SCOPE: &str = "platefarm";
/// The header, and the key of gRPC metadata, that carries a context.
pub const HEADER: &str = "traceparent";

/// The context that a text of version 00 says; none for one that says none.
#[must_use]
pub fn parse(text: &str) -> Option<Context> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len());
    if version != "00" || lengths != (2, 32, 16, 2) || parts.next().is_some() {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then(|| Context::new().with_remote_span_context(context))
}

/// A context as text; none where nothing is traced.
#[must_use]
pub fn text(context: &SpanContext) -> Option<String> {
    context.is_valid().then(|| {
        let (trace, span) = (context.trace_id(), context.span_id());
        format!("00-{trace}-{span}-{:02x}", context.trace_flags().to_u8())
    })
}

/// Something that goes on; it ends when it is dropped.
pub struct Begun {
    _span: BoxedSpan,
    context: Option<String>,
}

impl Begun {
    /// It begins now, below `parent`.
    #[must_use]
    pub fn now(name: &'static str, parent: &str, kind: SpanKind, facts: &[Fact]) -> Self {
        let tracer = global::tracer(SCOPE);
        let facts = facts.iter().map(|(key, value)| KeyValue::new(*key, value.clone()));
        let builder =
            tracer.span_builder(name).with_kind(kind).with_attributes(facts.collect::<Vec<_>>());
        let span = tracer.build_with_context(builder, &parse(parent).unwrap_or_default());
        let context = text(span.span_context());
        Self { _span: span, context }
    }

    /// The context for what is below it; none where nothing is traced.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }
}

/// Something there is to say of a span.
pub type Fact = (&'static str, String);

/// Something that took its time.
#[derive(Debug)]
pub struct Taken {
    /// What it was.
    pub name: &'static str,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// What there is to say.
    pub facts: Vec<Fact>,
    /// Numbers, by their name.
    pub numbers: Vec<(String, f64)>,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
}

impl Taken {
    /// Of something that went well.
    #[must_use]
    pub fn new(name: &'static str, begun: SystemTime, ended: SystemTime) -> Self {
        let (facts, numbers) = (Vec::new(), Vec::new());
        Self { name, begun, ended, facts, numbers, fault: None }
    }

    /// Exports it below `parent`; the context for what is below it, as text.
    pub fn export(self, parent: Option<&str>, kind: SpanKind) -> Option<String> {
        let tracer = global::tracer(SCOPE);
        let facts = self.facts.into_iter().map(|(key, value)| KeyValue::new(key, value));
        let numbers = self.numbers.into_iter().map(|(key, value)| KeyValue::new(key, value));
        let builder = tracer
            .span_builder(self.name)
            .with_kind(kind)
            .with_start_time(self.begun)
            .with_attributes(facts.chain(numbers).collect::<Vec<_>>());
        let parent = parent.and_then(parse).unwrap_or_default();
        let mut span = tracer.build_with_context(builder, &parent);
        if let Some(fault) = self.fault {
            span.set_attribute(KeyValue::new("error.type", fault.code.text()));
            span.set_status(opentelemetry::trace::Status::error(fault.message));
        }
        let context = text(span.span_context());
        span.end_with_timestamp(self.ended);
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_read_as_the_standard_writes_them() {
        // The example of W3C Trace Context, section 3.2.4.
        let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = parse(example).unwrap();
        let span = context.span();
        let read = span.span_context();
        assert!(read.is_sampled() && read.is_remote());
        assert_eq!(text(read).unwrap(), example);
        for bad in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn without_an_exporter_nothing_is_traced() {
        let now = SystemTime::now();
        assert_eq!(Taken::new("x", now, now).export(None, SpanKind::Internal), None);
    }
}
