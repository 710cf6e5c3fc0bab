//! Words of the farm: what they print, and what is left out of rows.

use super::*;

#[test]
fn words_read_what_they_print() {
    for class in PriorityClass::ALL {
        assert_eq!(class.word().parse::<PriorityClass>().unwrap(), *class);
    }
    assert!(PriorityClass::Urgent > PriorityClass::Normal);
    let fault = "hot".parse::<PriorityClass>().unwrap_err();
    assert!(fault.remedy_text().contains("background, normal, urgent"), "{fault}");
    assert_eq!("j12".parse::<Target>().unwrap(), Target::Job(JobId(12)));
    assert_eq!("j12.3".parse::<Target>().unwrap().to_string(), "j12.3");
}

#[test]
fn what_says_nothing_is_written_as_nothing() {
    assert_eq!(serde_json::to_string(&JobTerms::default()).unwrap(), "{}");
    assert_eq!(serde_json::to_string(&StepTerms::default()).unwrap(), "{}");
    assert_eq!(serde_json::from_str::<Share>("{}").unwrap(), Share::default());
    let terms = JobTerms {
        class: PriorityClass::Urgent,
        after: vec![Dependency { on: "j3.1".parse().unwrap(), same_frames: true }],
        ..JobTerms::default()
    };
    let json = serde_json::to_string(&terms).unwrap();
    assert_eq!(json, r#"{"class":"urgent","after":[{"on":"j3.1","same_frames":true}]}"#);
    assert_eq!(serde_json::from_str::<JobTerms>(&json).unwrap(), terms);
    let named: JobTerms = serde_json::from_str(r#"{"submitted_by":"ann","later":1}"#).unwrap();
    assert_eq!(named.submitted_by.as_deref(), Some("ann"), "rows of later versions are read");
}
