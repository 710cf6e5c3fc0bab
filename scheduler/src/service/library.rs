//! The `Library` service: the library's own functions on the wire, cut to what
//! the caller sees. Clips come described; nothing here opens media.

use super::{Answer, answer};
use crate::library::{Card, Entry, Override, Search, Shelf, Show, ShowChange, described};
use crate::trust::Caller;
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::name;
use platefarm_model::schema::Described;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_proto::{Library, v1};
use std::sync::Arc;
use tonic::Request;

/// Clips or formats of an answer, when the question does not say.
const PAGE: u32 = 100;
/// Most of them.
const MAX_PAGE: u32 = 1000;
/// Most names of clips that a format is told with: a page has room in a message.
const MAX_NAMES: usize = 200;
/// What callers are told that they may not see.
const WHAT: &str = "the library";

/// The service.
pub(super) struct LibraryService {
    pub(super) shelf: Arc<Shelf>,
}

fn clip_view(entry: &Entry) -> v1::ClipView {
    let key = &entry.key;
    v1::ClipView {
        id: entry.id.clone(),
        show: entry.show.clone(),
        clip_name: key.clip_name.clone(),
        reel_name: key.reel_name.clone().unwrap_or_default(),
        camera_letter: key.letter.clone().unwrap_or_default(),
        date: key.date.clone().unwrap_or_default(),
        start: key.start.map(|start| start.to_string()).unwrap_or_default(),
        rate: key.rate.map(|rate| rate.to_string()).unwrap_or_default(),
        frames: key.frames,
        format: entry.format.clone(),
        path: key.path.clone(),
    }
}

fn format_view(card: &Card) -> v1::FormatView {
    let values = card.card.key.values().into_iter();
    let values = values.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let set = &card.set;
    let set = (!set.is_empty()).then(|| v1::FormatOverride {
        color: set.color.clone().unwrap_or_default(),
        squeeze: set.squeeze,
        template: set.template.clone().unwrap_or_default(),
        note: set.note.clone().unwrap_or_default(),
    });
    v1::FormatView {
        id: card.id.clone(),
        values: values.collect(),
        color_space: card.card.color_space.clone().unwrap_or_default(),
        clip_count: card.card.clip_count as u64,
        clips: card.card.clips.iter().take(MAX_NAMES).cloned().collect(),
        set,
    }
}

/// How many are told, where so many are asked for.
fn page(most: u32) -> usize {
    (if most == 0 { PAGE } else { most.min(MAX_PAGE) }) as usize
}

fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn wanted(set: v1::FormatOverride) -> Outcome<Override> {
    let color = said(set.color);
    if let Some(color) = &color {
        name::to_aces(color).map_err(|fault| fault.within("set.color"))?;
    }
    if let Some(squeeze) = set.squeeze.filter(|squeeze| !(squeeze.is_finite() && *squeeze > 0.0)) {
        let message = format!("a lens does not squeeze by {squeeze}");
        return Err(Fault::new(Code::BadConfig, message)
            .at("set.squeeze")
            .remedy("Send a ratio above 0: 1 is a spherical lens."));
    }
    let (template, note) = (said(set.template), said(set.note));
    Ok(Override { color, squeeze: set.squeeze, template, note })
}

fn defaults(show: &Show) -> v1::ShowDefaults {
    let defaults = &show.defaults;
    v1::ShowDefaults {
        rate: defaults.rate.map(|rate| rate.to_string()),
        spec: defaults.spec.clone(),
        fdl: defaults.fdl.clone(),
        amf: defaults.amf.clone(),
    }
}

fn choices(show: &Show) -> u32 {
    u32::try_from(show.choices.choices.len()).unwrap_or(u32::MAX)
}

impl LibraryService {
    async fn found(&self, request: Request<v1::SearchRequest>) -> Outcome<v1::SearchResponse> {
        let caller = Caller::of(&request)?;
        let v1::SearchRequest { words, show, skip, most } = request.into_inner();
        let mut search = Search::parse(&words)?;
        search.show = caller.one_show(said(show).or(search.show.take()), WHAT)?;
        let shelf = Arc::clone(&self.shelf);
        let look = async move {
            let library = shelf.library().await?;
            let (clips, found) = library.page(&search, skip as usize, page(most)).await?;
            let clips = clips.iter().map(clip_view).collect();
            Outcome::Ok(v1::SearchResponse { clips, found: found as u64 })
        };
        self.shelf.look(look).await
    }

    async fn clip(&self, request: Request<v1::GetClipRequest>) -> Outcome<v1::GetClipResponse> {
        let caller = Caller::of(&request)?;
        let name = request.into_inner().clip;
        let library = self.shelf.library().await?;
        let (entry, clip) = library.find_where(&name, |show| caller.sees(show)).await?;
        let clip_json = serde_json::to_string(&Described(&clip))
            .map_err(|e| Fault::new(Code::Internal, "a clip is not JSON").because(&e))?;
        Ok(v1::GetClipResponse { clip: Some(clip_view(&entry)), clip_json })
    }

    async fn formats(
        &self,
        request: Request<v1::ListFormatsRequest>,
    ) -> Outcome<v1::ListFormatsResponse> {
        let caller = Caller::of(&request)?;
        let v1::ListFormatsRequest { show, skip, most } = request.into_inner();
        let show = caller.one_show(said(show), WHAT)?;
        let shelf = Arc::clone(&self.shelf);
        let look = async move {
            let cards = shelf.library().await?.formats(show.as_deref()).await?;
            let wanted = cards.iter().skip(skip as usize).take(page(most));
            let formats = wanted.map(format_view).collect();
            Outcome::Ok(v1::ListFormatsResponse { formats, found: cards.len() as u64 })
        };
        self.shelf.look(look).await
    }

    async fn set(&self, request: v1::SetFormatRequest) -> Outcome<v1::SetFormatResponse> {
        let v1::SetFormatRequest { id, set } = request;
        let set = set.map_or_else(|| Ok(Override::default()), wanted)?;
        let shelf = Arc::clone(&self.shelf);
        let change = async move { shelf.library().await?.set_format(&id, &set).await };
        let card = self.shelf.change(change).await?;
        Ok(v1::SetFormatResponse { format: Some(format_view(&card)) })
    }

    async fn add(&self, request: Request<v1::AddClipsRequest>) -> Outcome<v1::AddClipsResponse> {
        let caller = Caller::of(&request)?;
        let v1::AddClipsRequest { show, clips_json } = request.into_inner();
        let shelf = Arc::clone(&self.shelf);
        let change = async move {
            let library = shelf.library().await?;
            let clips = described(&clips_json)?;
            clips.iter().try_for_each(no_plate)?;
            library.add_where(&show, &clips, |theirs| caller.sees(theirs)).await
        };
        let added = self.shelf.change(change).await?;
        Ok(v1::AddClipsResponse {
            new: added.new,
            updated: added.updated,
            unchanged: added.unchanged,
        })
    }

    async fn show(&self, name: &str) -> Outcome<v1::GetShowResponse> {
        let show = self.shelf.library().await?.show(name).await?;
        Ok(v1::GetShowResponse { defaults: Some(defaults(&show)), choices: choices(&show) })
    }

    async fn keep(&self, request: v1::SetShowRequest) -> Outcome<v1::SetShowResponse> {
        let (name, change) = ShowChange::of(request);
        let show = self.shelf.library().await?.set_show(&name, change).await?;
        Ok(v1::SetShowResponse { defaults: Some(defaults(&show)), choices: choices(&show) })
    }
}

/// Refuses what would be found in the place of the clip that it was made from.
fn no_plate(clip: &ClipInfo) -> Outcome<()> {
    if !clip.is_plate() {
        return Ok(());
    }
    let message = format!("'{}' is a plate of platefarm's", clip.identity.clip_name);
    Err(Fault::new(Code::BadInspection, message).at(clip.path.clone()).remedy(
        "Leave it out: it carries the reel and timecode of the clip that it was made from.",
    ))
}

#[tonic::async_trait]
impl Library for LibraryService {
    async fn search(&self, request: Request<v1::SearchRequest>) -> Answer<v1::SearchResponse> {
        answer(self.found(request).await)
    }

    async fn get_clip(&self, request: Request<v1::GetClipRequest>) -> Answer<v1::GetClipResponse> {
        answer(self.clip(request).await)
    }

    async fn list_formats(
        &self,
        request: Request<v1::ListFormatsRequest>,
    ) -> Answer<v1::ListFormatsResponse> {
        answer(self.formats(request).await)
    }

    async fn set_format(
        &self,
        request: Request<v1::SetFormatRequest>,
    ) -> Answer<v1::SetFormatResponse> {
        answer(self.set(request.into_inner()).await)
    }

    async fn add_clips(
        &self,
        request: Request<v1::AddClipsRequest>,
    ) -> Answer<v1::AddClipsResponse> {
        answer(self.add(request).await)
    }

    async fn get_show(&self, request: Request<v1::GetShowRequest>) -> Answer<v1::GetShowResponse> {
        answer(self.show(&request.into_inner().show).await)
    }

    async fn set_show(&self, request: Request<v1::SetShowRequest>) -> Answer<v1::SetShowResponse> {
        answer(self.keep(request.into_inner()).await)
    }
}
