//! What a production says once: its defaults for delivery, and what people
//! chose where several clips would do. (Its share of the farm is no business
//! of the library's.)

use super::{Library, is_whole, rows};
use crate::pulls::{Choices, delivery};
use platefarm_model::delivery::ShowDefaults;
use platefarm_model::{Code, Fault, FrameRate, Outcome, limits};
use platefarm_proto::v1;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A production's defaults and choices.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Show {
    /// Rate, delivery spec, framing and look of its pulls.
    pub defaults: ShowDefaults,
    /// Which clips are meant.
    #[serde(flatten)]
    pub choices: Choices,
}

impl Show {
    /// Whether nothing but its name is known: all that was said of it was taken back.
    fn is_blank(&self) -> bool {
        let ShowDefaults { show: _, rate, spec, fdl, amf } = &self.defaults;
        rate.is_none()
            && [spec, fdl, amf].iter().all(|it| it.is_none())
            && self.choices.choices.is_empty()
    }
}

/// What is said anew of a show's pulls: what is not said stays as it is, an empty text takes a
/// value back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShowChange {
    /// Rate of its edit lists.
    pub rate: Option<String>,
    /// Delivery spec: a shipped profile's name, or a file's whole path.
    pub spec: Option<String>,
    /// Framing decision list, a file's whole path.
    pub fdl: Option<String>,
    /// ACES metadata file with its look, a file's whole path.
    pub amf: Option<String>,
    /// Forgets which clips were chosen.
    pub forget_choices: bool,
}

impl ShowChange {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The question that says it of `show`.
    #[must_use]
    pub fn question(self, show: &str) -> v1::SetShowRequest {
        let Self { rate, spec, fdl, amf, forget_choices } = self;
        let defaults = Some(v1::ShowDefaults { rate, spec, fdl, amf });
        v1::SetShowRequest { show: show.to_owned(), defaults, forget_choices }
    }

    /// The show that a question is about, and what it says of it.
    #[must_use]
    pub fn of(question: v1::SetShowRequest) -> (String, Self) {
        let v1::SetShowRequest { show, defaults, forget_choices } = question;
        let v1::ShowDefaults { rate, spec, fdl, amf } = defaults.unwrap_or_default();
        (show, Self { rate, spec, fdl, amf, forget_choices })
    }

    /// Lays it over a show. Whether a file is there only those machines know that read it.
    fn lay(self, show: &mut Show) -> Outcome<()> {
        let defaults = &mut show.defaults;
        if let Some(rate) = self.rate {
            let rate = said(rate).map(|rate| rate.parse::<FrameRate>()).transpose();
            defaults.rate = rate.map_err(|fault| fault.at("defaults.rate"))?;
        }
        if let Some(spec) = self.spec {
            defaults.spec = said(spec);
            let spec = defaults.spec.as_deref();
            if let Some(spec) = spec.filter(|spec| delivery::profile(spec).is_none()) {
                whole(spec, "defaults.spec").map_err(|fault| {
                    let names = delivery::names();
                    fault.remedy(format!("Name one of {names}, or the whole path of a file."))
                })?;
            }
        }
        for (said_of, kept, place) in [
            (self.fdl, &mut defaults.fdl, "defaults.fdl"),
            (self.amf, &mut defaults.amf, "defaults.amf"),
        ] {
            if let Some(path) = said_of {
                *kept = said(path);
                kept.as_deref().map_or(Ok(()), |path| whole(path, place))?;
            }
        }
        if self.forget_choices {
            show.choices.choices.clear();
        }
        Ok(())
    }
}

fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Refuses a show whose name no list could show.
pub(super) fn shown(name: &str) -> Outcome<()> {
    if name.len() <= limits::MAX_NAME_BYTES && !name.contains(char::is_control) {
        return Ok(());
    }
    let most = limits::MAX_NAME_BYTES;
    Err(Fault::new(
        Code::BadConfig,
        format!("{name:?} has control characters, or more than {most} bytes"),
    )
    .at("show")
    .remedy("Name the show as its jobs do."))
}

/// Refuses a path that means another file wherever it is read.
fn whole(path: &str, place: &str) -> Outcome<()> {
    if is_whole(path) && !path.contains(char::is_control) {
        return Ok(());
    }
    Err(Fault::new(Code::BadLocation, format!("'{}' is no whole path", path.escape_debug()))
        .at(place)
        .remedy("Write the path from its root, as every machine has it."))
}

impl Library {
    /// Every show that something is known of, by name.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn shows(&self) -> Outcome<Vec<Show>> {
        let cannot = self.cannot("read the shows");
        let rows = sqlx::query("SELECT name, defaults, choices FROM show_delivery ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(&cannot)?;
        let shows = rows.iter().map(|row| of_row(row)?.map_err(&cannot));
        let shows = shows.collect::<Outcome<Vec<Show>>>()?;
        Ok(shows.into_iter().filter(|show| !show.is_blank()).collect())
    }

    /// What is known of one show; nothing, when nothing is, or where none is named.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn show(&self, name: &str) -> Outcome<Show> {
        if name.is_empty() {
            return Ok(Show::default());
        }
        let cannot = self.cannot("read the shows");
        let mut db = self.pool.acquire().await.map_err(&cannot)?;
        find(&mut db, name).await?.map_err(cannot)
    }

    /// Keeps which clips are meant, beside what was chosen before: the next cut asks the same.
    /// Where no show is named nothing is kept: it would be another production's the next time.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn learn(&self, show: &str, chosen: Choices) -> Outcome<()> {
        if show.is_empty() || chosen.choices.is_empty() {
            return Ok(());
        }
        let learn = |show: &mut Show| {
            show.choices.learn(chosen);
            Ok(())
        };
        self.change_show(show, learn).await.map(drop)
    }

    /// Says anew what holds for the pulls of a show.
    ///
    /// # Errors
    /// [`Code::BadConfig`] for a show without a name; [`Code::BadLocation`] for a path that is not
    /// whole; `F0502`.
    pub async fn set_show(&self, name: &str, change: ShowChange) -> Outcome<Show> {
        if name.is_empty() {
            return Err(Fault::new(Code::BadConfig, "a show without a name")
                .at("show")
                .remedy("Name the show."));
        }
        shown(name)?;
        self.change_show(name, |show| change.lay(show)).await
    }

    /// Changes what is known of a show, as nobody else does meanwhile.
    ///
    /// # Errors
    /// `F0502`; those of `change`, after which nothing is changed.
    pub async fn change_show(
        &self,
        name: &str,
        change: impl FnOnce(&mut Show) -> Outcome<()>,
    ) -> Outcome<Show> {
        let cannot = self.cannot("keep the show");
        let mut tx = self.alone("show_delivery").await.map_err(&cannot)?;
        let mut show = find(&mut tx, name).await?.map_err(&cannot)?;
        change(&mut show)?;
        write(&mut tx, &show).await?.map_err(&cannot)?;
        tx.commit().await.map_err(&cannot)?;
        Ok(show)
    }
}

/// The outer outcome is of what a row says, the inner one of the store.
fn of_row(row: &AnyRow) -> Outcome<sqlx::Result<Show>> {
    let texts = || Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]);
    let [name, defaults, choices]: [String; 3] = match texts() {
        Ok(texts) => texts,
        Err(error) => return Ok(Err(error)),
    };
    let mut defaults: ShowDefaults = rows::parse(&defaults, "defaults")?;
    defaults.show = name;
    Ok(Ok(Show { defaults, choices: rows::parse(&choices, "choices")? }))
}

/// A show; one of which nothing is known has its name only.
async fn find(db: &mut AnyConnection, name: &str) -> Outcome<sqlx::Result<Show>> {
    let row = sqlx::query("SELECT name, defaults, choices FROM show_delivery WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(db)
        .await;
    match row {
        Ok(Some(row)) => of_row(&row),
        Ok(None) => {
            let defaults = ShowDefaults { show: name.to_owned(), ..ShowDefaults::default() };
            Ok(Ok(Show { defaults, choices: Choices::default() }))
        }
        Err(error) => Ok(Err(error)),
    }
}

async fn write(db: &mut AnyConnection, show: &Show) -> Outcome<sqlx::Result<()>> {
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|e| Fault::new(Code::Internal, "a show is not JSON").because(&e))
    };
    let done = sqlx::query(
        "INSERT INTO show_delivery (name, defaults, choices) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET defaults = excluded.defaults, choices = excluded.choices",
    )
    .bind(show.defaults.show.clone())
    .bind(json(serde_json::to_string(&show.defaults))?)
    .bind(json(serde_json::to_string(&show.choices))?)
    .execute(db)
    .await;
    Ok(done.map(drop))
}
