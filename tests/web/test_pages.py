"""The shell of the pages: words, looks, headers, what is wrong; that nothing is untranslated or loaded from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from connector.web import pages
from connector.web.catalogue import FOLDER, catalogue
from connector.web.front import Front
from connector.web.pages import local
from tests.web.visiting import visit

TEMPLATES = Path(pages.__file__).parent / "templates"
OPTIONS = {"silent": "false", "trimmed": "true", "extensions": "jinja2.ext.do"}
HAN = re.compile(r"[\u4e00-\u9fff]")


one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def said() -> dict[str, str]:
    """Every sentence of every template, and the file that it is in."""
    found = extract_from_dir(str(TEMPLATES), [("**.html", "jinja2")], {"**.html": OPTIONS})
    words: dict[str, str] = {}
    for file, _, message, _, _context in found:
        for sentence in (message,) if isinstance(message, str) else message:
            words.setdefault(sentence, file)
    return words


def test_every_sentence_is_translated() -> None:
    chinese, sentences = catalogue("zh").words, said()
    assert len(sentences) > 30
    assert {text: file for text, file in sentences.items() if text not in chinese} == {}


def test_every_translation_is_used_and_is_chinese() -> None:
    sentences = set(said())
    for text, words in catalogue("zh").words.items():
        assert text in sentences, f"translated, and in no template: {text}"
        left = re.sub(r"%\(\w+\)\w|MiB", "", words)
        assert HAN.search(words) or not re.search("[A-Za-z]{3}", left), f"not Chinese: {words}"


def test_translations_keep_what_is_put_in() -> None:
    for text, words in catalogue("zh").words.items():
        assert sorted(re.findall(r"%\(\w+\)\w", text)) == sorted(re.findall(r"%\(\w+\)\w", words)), text


def test_a_sentence_says_the_same_wherever_it_is_translated() -> None:
    seen: dict[str, tuple[str, str]] = {}
    for file in sorted((FOLDER / "zh_CN").glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened, locale="zh_CN"):
                if isinstance(message.id, str) and message.id:
                    before, where = seen.setdefault(message.id, (str(message.string), file.name))
                    assert str(message.string) == before, f"{message.id}: in {where} and {file.name}"


def test_no_template_has_script_style_or_another_site_in_it() -> None:
    looked = 0
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        looked += 1
        assert not re.search(r"<script(?![^>]*\bsrc=\"\{\{ asset)", text), file
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text), file
        assert not re.search(r"(src|href|action)=\"(https?:)?//", text), file
        assert "|safe" not in text, file
    assert looked > 5


def test_no_word_of_a_template_stands_outside_the_catalogues() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"\{#.*?#\}|\{%\s*(trans|blocktrans).*?endtrans\s*%\}", "", text, flags=re.DOTALL)
        text = re.sub(r"\{% set \w+ %\}.*?\{% endset %\}", "", text, flags=re.DOTALL)
        text = re.sub(r"<(code|kbd|pre)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
        text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
        # Tags are taken out by their own quotes: an attribute may hold a ">".
        attributes = re.findall(r'(?:title|alt|placeholder|aria-label|data-label)="([^"]*)"', text)
        bare = re.sub(r"""<(?:"[^"]*"|'[^']*'|[^'">])*>""", " ", text)
        for words in (bare, *attributes):
            left = re.sub(r"Holdfast|English|中文|&\w+;|UTF-8", "", words)
            assert not re.search(r"[A-Za-z]{2,}|[\u4e00-\u9fff]", left), f"{file.name}: {left.split()[:12]}"


@one_database
def test_a_page_says_its_language_and_loads_only_what_is_ours(front: Front) -> None:
    for language, lang, word in (("en", "en", "Sign out"), ("zh", "zh-CN", "退出登录")):
        browser = visit(front, "li.wei", language)
        answer = browser.get("/desk")
        assert answer.status_code == 200
        assert f'<html lang="{lang}"' in answer.text
        assert word in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        for address in re.findall(r'(?:src|href)="([^"#]+)"', answer.text):
            assert address.startswith("/"), address
            assert not address.startswith("//")
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text):
            file = browser.get(address)
            assert file.status_code == 200
            assert "immutable" in file.headers["cache-control"]


@one_database
def test_the_look_is_kept_and_leads_nowhere_else(front: Front) -> None:
    browser = visit(front, "li.wei")
    answer = browser.client.post("/look", data={"language": "zh", "back": "/desk"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    browser.client.post("/look", data={"theme": "dark", "back": "/desk"})
    page = browser.get("/desk").text
    assert '<html lang="zh-CN" data-theme="dark">' in page
    for address in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/\nx"):
        answer = browser.client.post("/look", data={"language": "en", "back": address})
        assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/desk?x=1", "/desk?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("desk", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_only_addresses_of_ours_are_gone_to(address: str, expected: str) -> None:
    assert local(address) == expected


@one_database
def test_what_is_wrong_is_a_page_for_people_and_json_for_programs(front: Front) -> None:
    browser = visit(front, "li.wei")
    page = browser.get("/desk/nowhere<script>")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>" in page.text
    assert "<script>alert" not in page.text
    problem = browser.client.get("/api/v1/nowhere", headers={"Accept": "text/html"})
    assert problem.headers["content-type"] == "application/problem+json"
