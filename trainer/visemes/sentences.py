"""What is said: sentences to learn from, by language, and others to measure on."""

LEARNED = {
    "en": """
The boat drifted slowly past the old bridge.
Please move the green chair closer to the window.
My father bought five fresh fish at the harbour.
We usually have lunch at a quarter past one.
She put the brown paper bag on top of the piano.
Thank you all for joining this meeting on such short notice.
The river rose three feet after the heavy storm.
Could you share your screen and show us the figures?
Every morning he feeds the birds behind the house.
I would rather wait until the weather gets warmer.
The judge asked the witness to speak more clearly.
Both of them thought the theatre was half empty.
Bring me a cup of coffee with a little milk, please.
The pilot checked the map before we took off.
Young people often choose to live in bigger towns.
A thin layer of ice covered the surface of the pond.
Her voice was calm, but her hands were shaking.
The new version should be finished by the end of the month.
Why did the machine stop working just before noon?
He pushed the heavy box up the stairs without any help.
The children played with a yellow ball on the beach.
It is easy to forget how large the ocean really is.
They measured the height of each tree in the garden.
Our neighbours are building a wooden fence this week.
I hope you had a pleasant journey through the mountains.
The package arrived on Thursday, but the label was missing.
Nobody knew which of the two roads led to the village.
Zebras and giraffes share the same dusty field.
Keep the butter in the fridge and the bread in the box.
The vision of the young engineer changed the whole project.
Join the rope to the hook and pull it as hard as you can.
A good book can make a long evening feel short.
The mayor opened the museum with a few warm words.
There was a loud noise, and then the lights went out.
Let me think about it and call you back tomorrow.
She wore a purple coat and a pair of leather boots.
Please give my best wishes to your mother.
The bees were humming above the apple blossom.
We need more time to understand what happened here.
Put your name at the bottom of the form.
Fresh air and cool water are all I want right now.
His uncle repaired watches in a small shop near the church.
The answer to the first question is probably no.
Each of the boys found a smooth white pebble.
Could somebody open the door for the cat?
The market was full of voices, colours and smells.
What a beautiful view you have from up here!
They usually leave the office around six o'clock.
The doctor told him to rest and to drink plenty of tea.
Above the clouds the sky is always blue.
The garage door would not budge an inch.
I measured the pressure twice and got the same value.
Move over a bit, so that everybody can sit down.
A huge orange moon rose over the rooftops.
The team will publish the results early next year.
Fold the paper, cut along the edge, and glue both halves.
We laughed about the joke until our stomachs hurt.
The path through the woods is muddy after rain.
Peter picked up a piece of pumpkin pie for Abby.
Maybe Bob and Pam may come by to help with the pump.
Five brave foxes found a very fine valley.
Both brothers breathe through the thick cloth.
How now, my brown cow, are you going out again?
You too should use the blue spoon for the soup.
Charles chose to change the channel and watch a chess match.
Red roses grow round the rear wall of the ranch.
Yes, this is the place where I spent my summers.
So the whole world was going to know about it.
Okay, let us begin with the numbers of the last quarter.
Can everybody hear me well, or should I speak up?
I am afraid we are running out of time.
One, two, three, four, five, six, seven, eight, nine, ten.
""",
    "de": """
Guten Morgen, wir beginnen gleich mit der Besprechung.
Der Bäcker verkauft jeden Tag frisches Brot und Kuchen.
Meine Mutter hat im Garten viele bunte Blumen gepflanzt.
Könnten Sie bitte das Fenster ein wenig öffnen?
Über den Bergen ziehen dunkle Wolken auf.
Papa bringt am Abend Pommes und Apfelsaft mit.
Wir müssen noch fünf Punkte besprechen, bevor wir gehen.
Die Schüler schreiben heute eine schwierige Prüfung.
Ich möchte gern wissen, wie du darauf gekommen bist.
Ohne Mühe hob er die schwere Kiste auf den Wagen.
""",
    "fr": """
Bonjour à tous, merci d'être venus aussi vite.
Le petit bateau passe lentement sous le vieux pont.
Ma mère prépare une bonne soupe pour toute la famille.
Pouvez-vous parler un peu plus fort, s'il vous plaît ?
Nous avons beaucoup de choses à faire avant midi.
Il pleut depuis hier et la rivière monte toujours.
Je voudrais un verre d'eau et du pain, merci beaucoup.
Les enfants jouent au ballon devant la maison bleue.
""",
    "es": """
Buenos días a todos, vamos a empezar la reunión.
El barco pasó despacio por debajo del puente viejo.
Mi padre compró pan, fruta y un poco de pescado.
¿Puede usted abrir la ventana, por favor?
Los niños juegan en la plaza después de comer.
Me gustaría saber cuándo llega el próximo tren.
Nunca había visto una montaña tan grande y blanca.
Mañana por la mañana hablamos de los números.
""",
    "it": """
Buongiorno a tutti, possiamo cominciare la riunione.
La barca passa piano sotto il vecchio ponte.
Mia madre prepara una buona zuppa per la famiglia.
Vorrei un bicchiere d'acqua e un po' di pane.
I bambini giocano a palla davanti alla casa.
Domani mattina parliamo dei numeri del mese scorso.
""",
}

MEASURED = {
    "en": """
Good afternoon, my name is Emma and I work in Boston.
The blue ship carried paper and soap to the other shore.
Before you leave, please shut both of the upper windows.
A fat yellow bee flew over the thorny hedge.
Which judge would choose the cheaper watch?
Maybe the farmer plants potatoes, beans and pumpkins.
I think that the weather will be rather cool on Thursday.
Her thumb was sore after moving the rough boards.
We have not heard anything from the people upstairs.
Look at the beautiful pictures on page forty seven.
Sometimes a short pause says more than many words.
The zoo has a huge brown bear and two shy lynxes.
""",
    "de": """
Am Montag fahren wir mit dem Boot über den Bodensee.
Bitte geben Sie mir noch eine Tasse Kaffee mit Milch.
Schöne Grüße von meinem Bruder aus München.
""",
    "fr": """
Aujourd'hui nous parlons d'un beau projet pour la ville.
Je pense que ma sœur arrive demain par le train du soir.
Voulez-vous un peu de beurre avec votre pain ?
""",
    "es": """
La semana próxima viajamos a Bilbao con mi hermana.
Por favor, ponga los papeles sobre la mesa blanca.
No sé por qué la puerta estaba abierta.
""",
}


def sentences(text: str) -> list[str]:
    """One a line."""
    return [line for line in text.splitlines() if line]
