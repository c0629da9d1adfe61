//! The expressions that are not written, each with what to write instead.

use std::fmt;

/// A passage that reads badly.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The byte offset of the expression.
    pub(crate) at: usize,
    found: String,
    instead: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.found, self.instead)
    }
}

/// Phrases of whole words, in lower case, wherever they are. The second part is what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("all but", "`all except`"),
    ("also if", "`even if`, or name both cases"),
    ("also when", "`even when`, or name both cases"),
    ("also where", "`even where`, or name both cases"),
    ("anew", "`again`, `from scratch`"),
    ("as good as none", "`treated as absent`"),
    ("but for", "`except`"),
    ("came about", "name the event: `was opened`, `was created`"),
    ("comes about", "name the event: `is opened`, `is created`"),
    ("can be had", "`is available`"),
    ("cannot be had", "`is not available`"),
    ("as it stands", "`as it is`, `unchanged`"),
    ("as they stand", "`as they are`, `unchanged`"),
    ("costs what", "name the cost: `is as fast as …`"),
    ("everything but", "`everything except`"),
    ("for ever", "`forever`"),
    ("gone on with", "`continued`, `resumed`"),
    ("goes on", "`continues`, `resumes`"),
    ("go on with", "`continue`, `resume`"),
    ("held against", "`compared with`"),
    ("holds against", "`compares with`"),
    ("hitherto", "`until now`"),
    ("in clear", "`in plain text`"),
    ("is told", "`is reported`, `is returned`"),
    ("are told", "`are reported`, `are returned`"),
    ("lest", "`so that … not`"),
    ("need not hear", "`need not know`, or skip it"),
    ("does not hear", "`is not notified`"),
    ("nobody hears", "`nobody is notified`"),
    ("nodes of before", "`older nodes`"),
    ("one moment", "name the snapshot: `reads one snapshot`"),
    ("rows of before", "`older rows`"),
    ("of no account", "`ignored`"),
    ("of account", "`relevant`"),
    ("save for", "`except`"),
    ("stand in the", "`are in the`"),
    ("stands at", "`is at`"),
    ("stands in", "`is in`"),
    ("what stands", "name the thing"),
    ("stands there", "`is there`"),
    ("that there is not", "`that does not exist`"),
    ("therein", "`in it`"),
    ("thereof", "`of it`"),
    ("those there are", "`the existing ones`"),
    ("to be had", "`available`"),
    ("whence", "`from where`"),
];

/// Phrases that are plain English before or behind certain words.
const PHRASES_UNLESS: &[PhraseUnless] = &[
    PhraseUnless {
        phrase: "is no",
        after: &["there"],
        before: &["longer", "more"],
        instead: "`is not`, `is not a`",
    },
    PhraseUnless { phrase: "are no", after: &["there"], before: &["longer", "more"], instead: "`are not`" },
    PhraseUnless {
        phrase: "was no",
        after: &["there"],
        before: &["longer", "more"],
        instead: "`was not`, `was not a`",
    },
    PhraseUnless {
        phrase: "a moment",
        after: &[],
        before: &["ago"],
        instead: "name the time, or the snapshot that is read",
    },
];

/// A phrase that is accepted after or before these words.
struct PhraseUnless {
    phrase: &'static str,
    after: &'static [&'static str],
    before: &'static [&'static str],
    instead: &'static str,
}

/// Words that no sentence begins with, unless it is a question.
const BEGINNINGS: &[(&str, &str)] = &[
    ("of", "begin with the subject"),
    ("who", "name the client, thread or person that acts"),
    ("whoever", "name the client, thread or person that acts"),
];

/// Verbs that show that a clause which begins with `What` is the subject: `What is hidden is left out`.
const VERBS: &[&str] = &["is", "are", "was", "were", "has", "have", "does", "may", "must", "cannot", "can"];

/// Verbs that we write with `z`, up to the `is`.
const IZE: &[&str] = &[
    "author",
    "canon",
    "canonical",
    "capital",
    "categor",
    "character",
    "custom",
    "deserial",
    "equal",
    "final",
    "general",
    "initial",
    "local",
    "maxim",
    "memor",
    "minim",
    "normal",
    "optim",
    "organ",
    "parallel",
    "prior",
    "random",
    "recogn",
    "sanit",
    "serial",
    "special",
    "standard",
    "summar",
    "synchron",
    "token",
    "util",
    "visual",
];

/// How a verb goes on after `is`.
const ENDINGS: &[&str] = &["e", "ed", "es", "er", "ers", "ing", "ation", "ations", "able"];

/// Other words in British spelling.
const BRITISH: &[(&str, &str)] = &[
    ("analyse", "analyze"),
    ("analysed", "analyzed"),
    ("analyses", "analyzes"),
    ("analysing", "analyzing"),
    ("behaviour", "behavior"),
    ("catalogue", "catalog"),
    ("colour", "color"),
    ("favour", "favor"),
    ("honour", "honor"),
    ("honours", "honors"),
    ("honoured", "honored"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("neighbour", "neighbor"),
    ("neighbours", "neighbors"),
];

/// Everything in the text that reads badly, in the order of the text.
pub(crate) fn findings(text: &str) -> Vec<Finding> {
    let words = words(text);
    let mut findings = Vec::new();
    for at in 0..words.len() {
        let Some(rest) = words.get(at..) else { continue };
        if let Some((length, instead)) = finding(&words, at, rest) {
            let (Some(first), Some(last)) = (rest.first(), rest.get(length - 1)) else { continue };
            let found = text.get(first.start..last.end).unwrap_or_default().to_owned();
            findings.push(Finding { at: first.start, found, instead });
        }
    }
    findings
}

/// What is wrong with the words that begin at `rest`: how many, and what to write.
fn finding(words: &[Word<'_>], at: usize, rest: &[Word<'_>]) -> Option<(usize, String)> {
    let first = rest.first()?;
    if let Some((phrase, instead)) = PHRASES.iter().find(|(phrase, _)| begins_with(rest, phrase)) {
        return Some((phrase.split(' ').count(), (*instead).to_owned()));
    }
    for PhraseUnless { phrase, after, before, instead } in PHRASES_UNLESS {
        let length = phrase.split(' ').count();
        let previous = at.checked_sub(1).and_then(|at| words.get(at));
        if begins_with(rest, phrase)
            && previous.is_none_or(|word| !after.contains(&word.lower.as_str()))
            && rest.get(length).is_none_or(|word| !before.contains(&word.lower.as_str()))
        {
            return Some((length, (*instead).to_owned()));
        }
    }
    if first.begins_sentence && first.is_capitalized() {
        let sentence =
            rest.iter().take(1).chain(rest.iter().skip(1).take_while(|word| !word.begins_sentence));
        let sentence: Vec<&Word<'_>> = sentence.collect();
        if sentence.last().is_none_or(|word| !word.is_question) {
            if let Some((_, instead)) = BEGINNINGS.iter().find(|(word, _)| first.lower == *word) {
                return Some((sentence.len().min(4), (*instead).to_owned()));
            }
            let is_clause = first.lower == "what" && has_clause_as_subject(&sentence);
            if is_clause {
                return Some((sentence.len().min(4), "begin with the noun, not with a clause".to_owned()));
            }
        }
    }
    spelling(&first.lower).map(|instead| (1, instead))
}

/// Whether the sentence is of the form `What … is … is …`, with no comma or `and` before the second verb.
fn has_clause_as_subject(sentence: &[&Word<'_>]) -> bool {
    let clause = sentence
        .iter()
        .take_while(|word| !["and", "or", "that", "which", "if", "when"].contains(&word.lower.as_str()));
    clause.filter(|word| VERBS.contains(&word.lower.as_str())).count() >= 2
}

/// The American spelling of a British word.
fn spelling(word: &str) -> Option<String> {
    if let Some((_, american)) = BRITISH.iter().find(|(british, _)| *british == word) {
        return Some(format!("`{american}`"));
    }
    let (stem, ending) = ENDINGS
        .iter()
        .filter_map(|ending| Some((word.strip_suffix(ending)?.strip_suffix("is")?, ending)))
        .find(|(stem, _)| IZE.contains(stem))?;
    Some(format!("`{stem}iz{ending}`"))
}

fn begins_with(words: &[Word<'_>], phrase: &str) -> bool {
    let parts = phrase.split(' ');
    let count = parts.clone().count();
    // A phrase does not reach over punctuation.
    parts.enumerate().all(|(at, part)| {
        words.get(at).is_some_and(|word| word.lower == part && (at + 1 == count || !word.ends_clause))
    })
}

/// One word of the text.
struct Word<'a> {
    start: usize,
    end: usize,
    text: &'a str,
    lower: String,
    begins_sentence: bool,
    /// Punctuation follows.
    ends_clause: bool,
    /// A question mark follows.
    is_question: bool,
}

impl Word<'_> {
    fn is_capitalized(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }
}

fn words(text: &str) -> Vec<Word<'_>> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '’' | '`');
    let mut words: Vec<Word<'_>> = Vec::new();
    // A heading is not a sentence.
    let mut begins_sentence = !text.starts_with('#');
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (gap, tail) = rest.split_at(start);
        if let Some(previous) = words.last_mut() {
            previous.ends_clause = gap.contains(|c: char| !c.is_whitespace());
            previous.is_question = gap.contains('?');
            begins_sentence = gap.contains(['.', '?', '!', ':']) && gap.ends_with(' ');
        }
        let (word, after) = tail.split_at(tail.find(|c| !is_word(c)).unwrap_or(tail.len()));
        let at = text.len() - tail.len();
        words.push(Word {
            start: at,
            end: at + word.len(),
            text: word,
            lower: word.to_lowercase(),
            begins_sentence,
            ends_clause: !after.is_empty(),
            is_question: after.contains('?'),
        });
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = findings(text);
        assert_eq!(
            found.iter().map(|finding| finding.found.as_str()).collect::<Vec<_>>(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn bad_passages_are_found() {
        check("A list is no object, but for one.", &["is no", "but for"]);
        check("Of two writes one is first.", &["Of two writes one"]);
        check("It ends. Who waits does not hear it.", &["Who waits does not", "does not hear"]);
        check("What is part of a hidden attribute is hidden.", &["What is part of"]);
        check(
            "It canonicalises; the Canoniser is normalised.",
            &["canonicalises", "Canoniser", "normalised"],
        );
    }

    #[test]
    fn plain_passages_are_not_found() {
        check("There is no object. It is no longer used, and no more than one is.", &[]);
        check("Who did what? What is this?", &[]);
        check("What the store holds.", &[]);
        check("# What it does not do", &[]);
        check(
            "The size of the list is promised, a surprise; an optimistic, realistic precise otherwise.",
            &[],
        );
        check("`is no` and all, but for example this", &["but for"]);
    }
}
