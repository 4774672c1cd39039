/** Words that say little about a topic, by language (ISO 639-1): articles, pronouns, prepositions, conjunctions, auxiliary verbs, small talk. Written for this package. */
export const europeanStopWords: Readonly<Record<string, string>> = {
  de: `aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist bitte da damit dann
das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem
einen einer eines er es etwas euch euer für gegen gewesen hab habe haben hallo hat hatte hatten hier hin hinter ich ihm ihn ihnen
ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jedem jeden jeder jedes jener jetzt kann kannst kein keine keinem keinen
keiner können könnte man manche mein meine meinem meinen meiner mich mir mit muss musste möchte müssen nach nein nicht nichts noch
nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so solche soll sollte sondern sonst über um und uns
unser unsere unter viel vielleicht vom von vor wann war waren warum was weil weiter welche welchem welchen welcher welches wem wen
wenn wer werde werden wie wieder will wir wird wirst wo woher wohin wollen wurde wurden während zu zum zur zwar zwischen danke`,
  fr: `à ai aie ait alors as au aucun aussi autre aux avais avait avant avec avez avoir avons bien bonjour car ce ceci cela celle celles
celui ces cet cette ceux chaque chez comme comment contre dans de depuis des deux donc dont du elle elles en encore entre es est et
étaient était étant été être eu eux fait faire faut ici il ils je jusque la là le les leur leurs lors lorsque lui ma mais me même
mêmes merci mes moi moins mon ne ni non nos notre nous on ont ou où par parce pas pendant peu peut peux plus pour pourquoi pouvez
puis puisque quand que quel quelle quelles quels qui quoi sa sans se sera ses si sien soi sois soit sommes son sont sous suis sur ta
te tes toi ton tous tout toute toutes très tu un une va vais vers veux voici voilà vont vos votre voudrais vous y`,
  es: `a al algo algún alguna algunas alguno algunos ante antes aquel aquella aquí así aun aunque bien cada como cómo con contra cual cuál
cuando cuándo de del desde donde dónde dos el él ella ellas ellos en entre era eran eres es esa esas ese eso esos esta está están
estar estas este esto estos estoy fue fueron gracias ha había hace hacer han has hasta hay he hola la las le les lo los me mi mí
mientras mis mucho muy más nada ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por porque porqué puede
puedo pues que qué quien quién quiero se sea ser si sí sido sin sobre solo son soy su sus también tan tanto te tengo tiene tienen todo
todos tu tú tus un una unas uno unos usted ustedes va y ya yo`,
  it: `a abbiamo ad ai al alla alle allo anche ancora avere avete che chi ci ciao cioè come con contro cosa così cui da dagli dai dal dalla
dalle degli dei del dell della delle dello di dopo dove due e è ed era erano essere fa fare fra gli grazie ha hai hanno ho i il in io
la le lei li lo loro lui ma me meno mi mia mie miei mio molto ne nei nel nella nelle nello no noi non nostra nostro o ogni oppure
perché per però più poi posso può qual quale quali quando quanto quella quelle quelli quello questa queste questi questo qui se sei
senza si sì sia siamo siete solo sono sopra sotto sta stato su sua sue sui sul sulla suo suoi ti tra tu tua tuo tutti tutto un una uno
vi voglio voi vorrei vostra vostro`,
  pt: `a à ainda algum alguma alguns ao aos aquela aquele aquilo as às assim até cada com como contra da das de dela dele depois desde do
dois dos e é ela elas ele eles em entre era eram essa esse esta está estão estar este estou eu faz fazer foi foram há isso isto já la
lhe lo mais mas me mesmo meu meus minha minhas muito na não nas nem no nos nós nossa nosso num numa o obrigado olá onde os ou para
pela pelas pelo pelos pode posso por porque qual quando que quem quero se sem ser seu seus só sobre sou sua suas também te tem tenho
ter teu tu tua tudo um uma umas uns você vocês vos`,
  nl: `aan al alle alles als altijd andere bedankt ben bent bij daar dan dat de deze die dit doe doen door dus een en er geen geweest haar had
hallo heb hebben heeft hem het hier hij hoe hun ik in is ja je jij jou jouw jullie kan kon kunnen kunt maar me meer men met mij mijn
moet moeten mogen na naar nee niet niets nog nu of om omdat onder ons onze ook op over reeds te tegen toch toen tot u uit uw van veel
voor waar waarom wanneer want waren was wat we wel welke werd wie wij wil willen worden wordt zal ze zich zij zijn zo zonder zou`,
};
