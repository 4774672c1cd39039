/**
 * Words that say little about a topic, in English and Russian: pronouns, articles, prepositions, conjunctions,
 * auxiliary verbs, and the small talk of questions. Written for this package.
 */
const english = `
a able about above after again against ago all almost along already also although always am among an and another any
anybody anyone anything are aren't around as ask at away b back be became because become been before being below
between both but by c came can can't cannot come comes coming could couldn't d did didn't do does doesn't doing don't
done down dunno during e each either else enough etc even ever every everyone everything f few for from g get gets
getting give given gives go goes going gonna got gotten h had hadn't happen happened happening happens has hasn't have
haven't having he hello help her here hers herself hey hi him himself his how however i if im in instead into is isn't
it its itself ive j just k keep keeps kind kindly know l let lets like likely look looking looks lot m made make makes
making many may maybe me mean means might mine more most much must my myself n need needed needs neither never new no
none nor not nothing now o of off often ok okay on once one only onto or other others otherwise ought our ours
ourselves out over own p perhaps please possible possibly q quite r rather really right s said same saw say says see
seem seems seen several shall she should shouldn't show shows since so some somebody somehow someone something
sometimes soon sort still such sure t take taken takes taking tell than thank thanks that the their theirs them
themselves then there these they thing things think this those though through thus to together told too took toward
towards tried try trying u under unless until up ups upon us use used uses using v very via w wanna want wanted wants was
wasn't way we well went were weren't what whatever when whenever where whereas wherever whether which whichever while
who whoever whole whom whose why will wish with within without won't wonder wondering would wouldn't x y yes yet you
your yours yourself yourselves z dont doesnt didnt cant couldnt isnt wasnt wont hasnt havent whats hows wheres theres
`;

const russian = `
а без более больше будет будете будешь будто буду будут будучи бы был была были было быть в вам вами вас ваш ваша ваше
ваши вдруг ведь весь во вообще вот впрочем все всегда всего всем всеми всему всех всю вся всё всё-таки вы где да давай
даже для до другие другой другая другое его ее её ей ему если есть еще ещё ею же за здесь здравствуйте и из из-за или
им ими иногда их к каждый кажется как какая какие каким каких какого какое какой какую ко когда кого кому конечно
который которая которое которые которого которой которых которую кто куда ли лишь лучше между меня мне много могу
могут мое моё моего моей мож может можете можно мои моих мой мою моя мы на над надо нам нами нас наш наша наше наши не
него нее неё ней нельзя нет неужели ни нибудь никогда ним ними них ничего но ну нужен нужна нужно нужны о об один одна
одно он она они оно опять от ото очень перед по под пожалуйста после потом потому почему почти при привет про просто
раз разве с сам сама сами само самый свое своё своего своей свои своих свой свою своя сделать себе себя сейчас со
скажите снова совсем спасибо так также такая такие такое такой там тебе тебя тем теперь то тогда того тоже той только
том тот три тут ты у уж уже хотел хотела хорошо хочу чего чей чем через что чтоб чтобы чуть эта эти этим этих это этого
этой этом этот эту я является
`;

const list = new Set(`${english} ${russian}`.split(/\s+/).filter(Boolean));
const contraction = /^(.+)['’](?:s|t|d|m|re|ve|ll)$/;

/** Whether a word (in lower case) is one of them; so is `I've`, `what's`. */
export function isStopWord(word: string): boolean {
  const plain = word.replace('’', "'");
  return list.has(plain) || list.has(contraction.exec(plain)?.[1] ?? '');
}
