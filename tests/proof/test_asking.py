"""Which words are a question, and which name a key."""

from __future__ import annotations

import pytest

from callflow.core.events import DIGITS
from callflow.proof.asking import asks, keys

QUESTIONS = [
    "We would like to know whether you are content.",
    "Can I do anything else for you?",
    "Would you like that? Please say yes or no.",
    "Is {{ vars.day }} fine?",
    'Shall I say "yes"?',
    "¿Quiere pagar ahora?",
    "您要现在付款吗？",
    "هل تريد الدفع الآن؟",
    "Θέλετε να πληρώσετε;",
    "Do you want to pay now.",
    "Please tell me your name.",
    "Tell me when you want to come.",
    "I would like to ask you whether you want to pay now.",
    "What is your name.",
    "Anything else.",
    "Let me know if you need anything else.",
    "Say yes or no.",
    "Voulez-vous payer ?",
    "Möchten Sie jetzt zahlen? ",
    "May I ask your name.",
    "Please say your name after the tone.",
    "Do you want to pay now? I am listening.",
]

NO_QUESTIONS = [
    "If you want to know how it works, visit our website.",
    "When you call, please say your customer number.",
    "You can ask our staff.",
    "For questions, write to us.",
    "If you have any questions, please call us. Goodbye.",
    "We asked you to pay.",
    "We asked you whether you want to pay. Goodbye.",
    "Questions? Visit our website.",
    "Lost your card? Call 116 116 at any time.",
    "Thank you for asking.",
    "Have a nice day.",
    "May I thank you for your patience.",
    "Should you need anything, call us.",
    "What a pleasure. Goodbye.",
    "Please call us back.",
    "Did you know? You can do all this online.",
    "Will you marry me? No. Goodbye.",
    "",
    "Is there anything else? Then goodbye.",
    "How nice of you to call.",
    "Our doctors will ask you for your insurance card.",
    "Tell your doctor about this.",
    "Say hello to your mother.",
    "Thank you for letting me know.",
]

TOLD_TO_ASK = [
    "You are calling to ask whether they want an appointment.",
    "Say that the bill is open, and ask whether they want to pay now",
    "Ask for the drug.",
    "ask",
    "Greet them and ask what they want.",
    "Find out if they are at home.",
    "Tell them the price, then find out whether they agree.",
    "Thank them. Ask them to rate the call from one to five.",
    "Say hello, and inquire about the order.",
    "Politely ask if they need anything else, and if not say goodbye.",
    "Say: Do you want to pay now?",
    'Say "Do you want to pay now?"',
    "Remember to ask for their name.",
    "Make sure to ask whether they agree.",
    "Tell the caller that the order is late and ask them whether they want to cancel it.",
    "Check whether they are still interested.",
    "Offer to call back.",
    "Confirm with them that Monday is fine.",
    "Ask the customer to confirm the address.",
    "Have them spell their name.",
    "Explain the offer; ask how many they want.",
    "Tell them that the bill is open and ask whether they want to pay.",
    "You ask which day suits them.",
    "Get their name.",
    "Read the order back and see if it is right.",
    "Greet {{ vars.name }} and ask about the appointment.",
]

NOT_TOLD_TO_ASK = [
    "Ask nothing.",
    "Ask no questions; say goodbye.",
    "Answer what they ask.",
    "Do not greet them or ask anything.",
    "Say that we asked them to pay.",
    "Tell them that we asked whether they had paid, and say goodbye.",
    "Say that this is all.",
    "Do not ask anything. Say goodbye.",
    "Don't ask questions; say goodbye.",
    "If they ask, say that we are open.",
    "Ask them to call back tomorrow.",
    "Ask them to hold the line.",
    "Ask for patience.",
    "Tell them whom to ask.",
    "Tell them to call back and ask for Ann.",
    "Say that they can call us and ask for Ann.",
    "Tell them where to find out more.",
    "Say that they can find out more on our website.",
    "Say goodbye.",
    "Thank them for asking.",
    "Apologise, and say that somebody will ask them later.",
    "Never ask for the PIN.",
    "Say who may ask for it.",
    "Tell them that a colleague will ask for the number.",
]

KEYS = {
    "Press a key to go on.": set(DIGITS),
    "Press 1 to go on.": {"1"},
    "For cards, press 1. For loans, press two.": {"1", "2"},
    "Press the star key to hear it again.": {"star"},
    "Press # to end.": {"pound"},
    "Please push any button.": set(DIGITS),
    "Drücken Sie die 1.": {"1"},
    "Drücken Sie eine Taste.": set(DIGITS),
    "Appuyez sur la touche 2.": {"2"},
    "Press zero at any time for a person.": {"0"},
    "Pulse 3 para español.": {"3"},
    "Key in the eight digits of your meter, please.": set(DIGITS),
    "Press the 1 key": {"1"},
    "To be called back, press now 1.": {"1"},
    "If you want us to call back, press 1.": {"1"},
    "Dial 116 116 to block your card.": set(),
    "Our press office is closed.": set(),
    "Call 1 800 555.": set(),
    "Choose one of our shops.": set(),
    "Enter by the back door.": set(),
    "Select one of three.": set(),
    "Thank you. Goodbye.": set(),
    "The press has one story.": set(),
    "Call us back, and press 1.": set(),
    "When you call again, press 2.": set(),
    "Call us on 555 12 and press 1.": set(),
}


@pytest.mark.parametrize("words", QUESTIONS)
def test_these_words_ask(words: str) -> None:
    assert asks(words)


@pytest.mark.parametrize("words", NO_QUESTIONS)
def test_these_words_ask_nothing(words: str) -> None:
    assert not asks(words)


@pytest.mark.parametrize("words", TOLD_TO_ASK)
def test_a_model_that_is_told_so_asks(words: str) -> None:
    assert asks(words, told=True)


@pytest.mark.parametrize("words", NOT_TOLD_TO_ASK)
def test_a_model_that_is_told_so_asks_nothing(words: str) -> None:
    assert not asks(words, told=True)


@pytest.mark.parametrize("words", KEYS)
def test_the_keys_that_words_name(words: str) -> None:
    assert keys(words) == KEYS[words]


def test_a_model_that_is_told_to_press_a_key_does_so_itself() -> None:
    assert keys("Press 1 for sales.", told=True) == set()
    assert keys("Tell them to press 1 for sales.", told=True) == {"1"}
