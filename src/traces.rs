//! Where traces go: an OTLP collector, when one is named; else nowhere.

use opentelemetry::KeyValue;
use opentelemetry::global;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use platefarm_model::{Code, Fault, Outcome, address};
use tokio::runtime::Runtime;

/// Sends traces for as long as it is held; the last of them when it is dropped.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    /// The connection to the collector lives here, whatever the verb runs on.
    _runtime: Runtime,
}

impl Traces {
    /// Traces of `verb` go to the collector at `endpoint`, over gRPC.
    pub(crate) fn start(endpoint: &str, verb: &str) -> Outcome<Self> {
        let bad = |e: &(dyn std::error::Error + 'static)| {
            let shown = address::shown(endpoint);
            Fault::new(Code::BadConfig, format!("traces cannot be sent to '{shown}'"))
                .at("--otlp")
                .because(e)
                .remedy("Name a collector that speaks OTLP over gRPC, as in http://127.0.0.1:4317.")
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .map_err(|e| bad(&e))?;
        let entered = runtime.enter();
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
        let exporter = exporter.map_err(|e| bad(&e))?;
        drop(entered);
        let resource = Resource::builder()
            .with_service_name(format!("platefarm-{verb}"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Self { provider, _runtime: runtime })
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
