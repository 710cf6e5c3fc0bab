//! What a production says once: its defaults for delivery, and what people
//! chose where several clips would do. (Its share of the farm is no business
//! of the library's.)

use super::{Library, rows};
use crate::pulls::Choices;
use platefarm_model::delivery::ShowDefaults;
use platefarm_model::{Code, Fault, Outcome};
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
        rows.iter().map(|row| of_row(row)?.map_err(&cannot)).collect()
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
