"""The detector of abstentions: what counts, and what does not although it looks alike."""

from __future__ import annotations

import pytest

from membench.metrics.abstention import PHRASE, abstains


@pytest.mark.parametrize(
    "answer",
    [
        PHRASE, "i don’t know", "I do not know the answer", "Unknown", "not stated", "N/A", "No idea.", "I'm not sure.",
        "The text does not say.", "It is not mentioned in the passage.", "This was never stated.",
        "cannot be determined",
        "I cannot say", "There is no information about this.", "It isn't specified.", "not enough information",
        "The passage doesn't mention it", "The number has not been disclosed", "Unspecified", "Sorry, I don't know.",
        "I don't know. It may be Corde.", "I do not know who built it", "The author is unknown.", "It is still unknown",
        "There is not enough information", "The text does not give any answer", "I\u2019m unsure", "UNKNOWN!",
        "I DON’T KNOW",
        "You did not mention this information. You mentioned your cat Luna but not your hamster.",
        "The information provided is not enough. You did not mention your brother.",
        "The user never mentioned a brother", "You've never mentioned it", "You mentioned nothing about it.",
        "I don't have access to that information.", "I don't have that information available.",
        "I don't have enough information from our conversation to answer.", "I don't have any information yet.",
        "I don't have any personal information about your brother.", "You didn't tell me your brother's name.",
        "You never told me your sister's name.", "The user did not provide the name of the dog.",
        "You did not provide information about it", "You did not say your age.", "You did not talk about your hamster.",
        "No date was given.", "No reason was provided in the conversation.", "No brother was mentioned by you.",
        "No specific date for the trip was mentioned.", "No brother was mentioned during our conversation.",
        "I have no record of that.", "Based on the conversation, you did not mention it.", "You did not say how many.",
        "The conversation does not mention a brother.", "I don't have that information.", "No brother was mentioned.",
        "This was not discussed.", "You haven't told me.", "The provided context is insufficient to answer this.",
        "You did not say where you went to school.", "You did not discuss your trip to Paris.",
        "You did not provide a date.",
        "No brother was mentioned in any of the sessions.", "No brother was mentioned anywhere in the conversation.",
        "I have no record of a brother.", "You didn't give any details about the trip.", "You never gave me a date.",
        "You did not provide enough information.", "You did not say where you lived with your parents.",
        "You did not mention any issues with your car.", "You did not discuss playing tennis with your friends.",
        "You did not mention an interview with Google.", "The user did not mention a trip with family.",
        "No Airbnb in Sacramento was mentioned.", "No Samsung Galaxy purchase was mentioned.",
        "No context was provided.",
        "No specific date or time was given.", "No specific information regarding the fare was provided.",
        "You did not state your occupation.", "You did not provide any context.",
        "Based on the context provided, there is no mention of a brother.",
        "Based on the provided context, there is no information about your brother.",
        "It is unknown who built the harbour", "The answer is not mentioned in the text.", "unknown from the text",
    ],
)  # fmt: skip
def test_abstentions(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "", "38 percent", "No", "none of the banks", "Nora Knott", "Paris", "He is not a baker but a sailor",
        "not 38 but 42", "No. 5", "known as Belcor", "Ida Noansa", "the Unity Trust", "No data bank",
        "Tomb of the Unknown Soldier", "The Tomb of the Unknown Soldier", "Unknown Pleasures", "The Great Unknown",
        "I Don't Know How to Love Him", "It does not contain alcohol", "No answer came back", "He does not give up",
        "Unbekannte Welten", "L'Inconnu du Nord-Express", "El desconocido del lago", "未知との遭遇", "不知火",
        "He did not mention the war", "You never know", "The user manual", "No man was given as much",
        "never mentioned it",
        "You never said that to Anna.", "You mentioned nothing but praise for the hotel.", "You never gave it back.",
        "You mentioned nothing to your boss.", "I have no record in marathon running", "I have no records for sale",
        "I have no knowledge of French", "You never said when to Tom, you said where.",
        "You didn't give it to Tom; you lent it.", "You did not discuss salary with your boss.",
        "You never told this to your wife.",
        "You never gave up smoking.", "You don't speak French.", "You did not tell your boss.",
        "You did not give the book to Tom; you lent it.", "You do not give him milk, only water.",
        "User never spoke to Anna again.", "No Country for Old Men was discussed on Friday.",
        "No Time to Die was mentioned by Anna", "No prize was given in 1940.",
        "No more than two glasses are given a day", "I don't have any records by the Beatles, only CDs.",
        "Information is not everything", "You told your sister", "No one was hurt",
        "No fewer than five people were mentioned.", "No later than 5 pm was specified.", "No lunch was provided.",
        "No prize was given.",
        "You never gave me the keys.", "You never said the truth.", "You did not provide the cake; Anna did.",
        "You did not mention it to Anna.", "You never mentioned to Tom that you were ill.",
        "Неизвестная", "Невідомий солдат", "ไทย", "ไม่เคยมีใครรู้จักเขา",
    ],
)  # fmt: skip
def test_answers(answer: str) -> None:
    assert not abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Ich weiß es nicht.", "Keine Ahnung!", "Das ist nicht bekannt.", "ICH WEISS NICHT, wer das war",
        "No lo sé.", "No se menciona en el texto", "Je ne sais pas…", "Je l’ignore", "Na\u0303o sei.",
        "Non lo so.", "Я не знаю", "Неизвестно.", "لا أعرف", "لا أعلم.", "我不知道。", "不知道",
        "文中没有提到。", "わかりません。",
        "作者は不明です", "모르겠습니다.", "मुझे नहीं पता।", "Bilmiyorum.", "Tôi không biết.", "Ik weet het niet.",
        "ไม่ทราบ", "ฉันไม่ทราบคำตอบ", "אני לא יודע.", "Nie wiem", "نمی‌دانم", "Δεν ξέρω.", "Nevím.",
        "Saya tidak tahu", "আমি জানি না।", "Jag vet inte!", "Не знаю, хто це", "مجھے نہیں معلوم۔",
    ],
)  # fmt: skip
def test_abstentions_in_other_languages(answer: str) -> None:
    assert abstains(answer)
    assert abstains(f"\u200b{answer} ")
