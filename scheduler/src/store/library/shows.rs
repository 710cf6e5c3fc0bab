//! What a production says once: its defaults for delivery, and what people
//! chose where several clips would do. (Its share of the farm is no business
//! of the library's.)

use super::{Library, failed, rows};
use crate::pulls::Choices;
use platefarm_model::delivery::ShowDefaults;
use platefarm_model::{Code, Fault, Outcome};
use serde::Serialize;
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
        let cannot = |e: sqlx::Error| failed("read the shows", &self.place, &e);
        let rows = sqlx::query("SELECT name, defaults, choices FROM show_delivery ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(cannot)?;
        let mut shows = Vec::with_capacity(rows.len());
        for row in rows {
            let text = |column: usize| row.try_get::<String, _>(column).map_err(cannot);
            let mut defaults: ShowDefaults = rows::parse(&text(1)?, "defaults")?;
            defaults.show = text(0)?;
            shows.push(Show { defaults, choices: rows::parse(&text(2)?, "choices")? });
        }
        Ok(shows)
    }

    /// What is known of one show; nothing, when nothing is.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn show(&self, name: &str) -> Outcome<Show> {
        let shows = self.shows().await?;
        let found = shows.into_iter().find(|show| show.defaults.show == name);
        Ok(found.unwrap_or_else(|| Show {
            defaults: ShowDefaults { show: name.to_owned(), ..ShowDefaults::default() },
            choices: Choices::default(),
        }))
    }

    /// Keeps which clips are meant, beside what was chosen before: the next cut asks the same.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn learn(&self, show: &str, chosen: Choices) -> Outcome<()> {
        if chosen.choices.is_empty() {
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
        let row = sqlx::query("SELECT defaults, choices FROM show_delivery WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(&mut *tx)
            .await
            .map_err(&cannot)?;
        let mut show = Show::default();
        if let Some(row) = row {
            let text = |column: usize| row.try_get::<String, _>(column).map_err(&cannot);
            show.defaults = rows::parse(&text(0)?, "defaults")?;
            show.choices = rows::parse(&text(1)?, "choices")?;
        }
        show.defaults.show = name.to_owned();
        change(&mut show)?;
        write(&mut tx, &show).await?.map_err(&cannot)?;
        tx.commit().await.map_err(&cannot)?;
        Ok(show)
    }

    /// Keeps what is known of a show.
    ///
    /// # Errors
    /// `F0502`.
    pub async fn keep_show(&self, show: &Show) -> Outcome<()> {
        let cannot = self.cannot("keep the show");
        let mut db = self.pool.acquire().await.map_err(&cannot)?;
        write(&mut db, show).await?.map_err(cannot)
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
