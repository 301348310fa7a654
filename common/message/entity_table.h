/* SPDX-License-Identifier: BSD-2-Clause
 * Made by entity_table.py: do not edit. */
/* clang-format off */
#define ENTITY_COUNT 2125
static const char entity_text[] =
    "AElig:\303\206AMP:&Aacute:\303\201Abreve=\304\202Acirc:\303\202Acy=\320\220"
    "Afr=\360\235\224\204Agrave:\303\200Alpha=\316\221Amacr=\304\200And=\342\251\223"
    "Aogon=\304\204Aopf=\360\235\224\270ApplyFunction=\342\201\241Aring:\303\205"
    "Ascr=\360\235\222\234Assign=\342\211\224Atilde:\303\203Auml:\303\204"
    "Backslash=\342\210\226Barv=\342\253\247Barwed=\342\214\206Bcy=\320\221"
    "Because=\342\210\265Bernoullis=\342\204\254Beta=\316\222Bfr=\360\235\224\205"
    "Bopf=\360\235\224\271Breve=\313\230Bscr=\342\204\254Bumpeq=\342\211\216CHcy=\320\247"
    "COPY:\302\251Cacute=\304\206Cap=\342\213\222CapitalDifferentialD=\342\205\205"
    "Cayleys=\342\204\255Ccaron=\304\214Ccedil:\303\207Ccirc=\304\210Cconint=\342\210\260"
    "Cdot=\304\212Cedilla=\302\270CenterDot=\302\267Cfr=\342\204\255Chi=\316\247"
    "CircleDot=\342\212\231CircleMinus=\342\212\226CirclePlus=\342\212\225"
    "CircleTimes=\342\212\227ClockwiseContourIntegral=\342\210\262"
    "CloseCurlyDoubleQuote=\342\200\235CloseCurlyQuote=\342\200\231Colon=\342\210\267"
    "Colone=\342\251\264Congruent=\342\211\241Conint=\342\210\257"
    "ContourIntegral=\342\210\256Copf=\342\204\202Coproduct=\342\210\220"
    "CounterClockwiseContourIntegral=\342\210\263Cross=\342\250\257Cscr=\360\235\222\236"
    "Cup=\342\213\223CupCap=\342\211\215DD=\342\205\205DDotrahd=\342\244\221DJcy=\320\202"
    "DScy=\320\205DZcy=\320\217Dagger=\342\200\241Darr=\342\206\241Dashv=\342\253\244"
    "Dcaron=\304\216Dcy=\320\224Del=\342\210\207Delta=\316\224Dfr=\360\235\224\207"
    "DiacriticalAcute=\302\264DiacriticalDot=\313\231DiacriticalDoubleAcute=\313\235"
    "DiacriticalGrave=`DiacriticalTilde=\313\234Diamond=\342\213\204"
    "DifferentialD=\342\205\206Dopf=\360\235\224\273Dot=\302\250DotDot=\342\203\234"
    "DotEqual=\342\211\220DoubleContourIntegral=\342\210\257DoubleDot=\302\250"
    "DoubleDownArrow=\342\207\223DoubleLeftArrow=\342\207\220"
    "DoubleLeftRightArrow=\342\207\224DoubleLeftTee=\342\253\244"
    "DoubleLongLeftArrow=\342\237\270DoubleLongLeftRightArrow=\342\237\272"
    "DoubleLongRightArrow=\342\237\271DoubleRightArrow=\342\207\222"
    "DoubleRightTee=\342\212\250DoubleUpArrow=\342\207\221DoubleUpDownArrow=\342\207\225"
    "DoubleVerticalBar=\342\210\245DownArrow=\342\206\223DownArrowBar=\342\244\223"
    "DownArrowUpArrow=\342\207\265DownBreve=\314\221DownLeftRightVector=\342\245\220"
    "DownLeftTeeVector=\342\245\236DownLeftVector=\342\206\275"
    "DownLeftVectorBar=\342\245\226DownRightTeeVector=\342\245\237"
    "DownRightVector=\342\207\201DownRightVectorBar=\342\245\227DownTee=\342\212\244"
    "DownTeeArrow=\342\206\247Downarrow=\342\207\223Dscr=\360\235\222\237Dstrok=\304\220"
    "ENG=\305\212ETH:\303\220Eacute:\303\211Ecaron=\304\232Ecirc:\303\212Ecy=\320\255"
    "Edot=\304\226Efr=\360\235\224\210Egrave:\303\210Element=\342\210\210Emacr=\304\222"
    "EmptySmallSquare=\342\227\273EmptyVerySmallSquare=\342\226\253Eogon=\304\230"
    "Eopf=\360\235\224\274Epsilon=\316\225Equal=\342\251\265EqualTilde=\342\211\202"
    "Equilibrium=\342\207\214Escr=\342\204\260Esim=\342\251\263Eta=\316\227Euml:\303\213"
    "Exists=\342\210\203ExponentialE=\342\205\207Fcy=\320\244Ffr=\360\235\224\211"
    "FilledSmallSquare=\342\227\274FilledVerySmallSquare=\342\226\252"
    "Fopf=\360\235\224\275ForAll=\342\210\200Fouriertrf=\342\204\261Fscr=\342\204\261"
    "GJcy=\320\203GT:>Gamma=\316\223Gammad=\317\234Gbreve=\304\236Gcedil=\304\242"
    "Gcirc=\304\234Gcy=\320\223Gdot=\304\240Gfr=\360\235\224\212Gg=\342\213\231"
    "Gopf=\360\235\224\276GreaterEqual=\342\211\245GreaterEqualLess=\342\213\233"
    "GreaterFullEqual=\342\211\247GreaterGreater=\342\252\242GreaterLess=\342\211\267"
    "GreaterSlantEqual=\342\251\276GreaterTilde=\342\211\263Gscr=\360\235\222\242"
    "Gt=\342\211\253HARDcy=\320\252Hacek=\313\207Hat=^Hcirc=\304\244Hfr=\342\204\214"
    "HilbertSpace=\342\204\213Hopf=\342\204\215HorizontalLine=\342\224\200"
    "Hscr=\342\204\213Hstrok=\304\246HumpDownHump=\342\211\216HumpEqual=\342\211\217"
    "IEcy=\320\225IJlig=\304\262IOcy=\320\201Iacute:\303\215Icirc:\303\216Icy=\320\230"
    "Idot=\304\260Ifr=\342\204\221Igrave:\303\214Im=\342\204\221Imacr=\304\252"
    "ImaginaryI=\342\205\210Implies=\342\207\222Int=\342\210\254Integral=\342\210\253"
    "Intersection=\342\213\202InvisibleComma=\342\201\243InvisibleTimes=\342\201\242"
    "Iogon=\304\256Iopf=\360\235\225\200Iota=\316\231Iscr=\342\204\220Itilde=\304\250"
    "Iukcy=\320\206Iuml:\303\217Jcirc=\304\264Jcy=\320\231Jfr=\360\235\224\215"
    "Jopf=\360\235\225\201Jscr=\360\235\222\245Jsercy=\320\210Jukcy=\320\204KHcy=\320\245"
    "KJcy=\320\214Kappa=\316\232Kcedil=\304\266Kcy=\320\232Kfr=\360\235\224\216"
    "Kopf=\360\235\225\202Kscr=\360\235\222\246LJcy=\320\211LT:<Lacute=\304\271"
    "Lambda=\316\233Lang=\342\237\252Laplacetrf=\342\204\222Larr=\342\206\236"
    "Lcaron=\304\275Lcedil=\304\273Lcy=\320\233LeftAngleBracket=\342\237\250"
    "LeftArrow=\342\206\220LeftArrowBar=\342\207\244LeftArrowRightArrow=\342\207\206"
    "LeftCeiling=\342\214\210LeftDoubleBracket=\342\237\246LeftDownTeeVector=\342\245\241"
    "LeftDownVector=\342\207\203LeftDownVectorBar=\342\245\231LeftFloor=\342\214\212"
    "LeftRightArrow=\342\206\224LeftRightVector=\342\245\216LeftTee=\342\212\243"
    "LeftTeeArrow=\342\206\244LeftTeeVector=\342\245\232LeftTriangle=\342\212\262"
    "LeftTriangleBar=\342\247\217LeftTriangleEqual=\342\212\264"
    "LeftUpDownVector=\342\245\221LeftUpTeeVector=\342\245\240LeftUpVector=\342\206\277"
    "LeftUpVectorBar=\342\245\230LeftVector=\342\206\274LeftVectorBar=\342\245\222"
    "Leftarrow=\342\207\220Leftrightarrow=\342\207\224LessEqualGreater=\342\213\232"
    "LessFullEqual=\342\211\246LessGreater=\342\211\266LessLess=\342\252\241"
    "LessSlantEqual=\342\251\275LessTilde=\342\211\262Lfr=\360\235\224\217Ll=\342\213\230"
    "Lleftarrow=\342\207\232Lmidot=\304\277LongLeftArrow=\342\237\265"
    "LongLeftRightArrow=\342\237\267LongRightArrow=\342\237\266Longleftarrow=\342\237\270"
    "Longleftrightarrow=\342\237\272Longrightarrow=\342\237\271Lopf=\360\235\225\203"
    "LowerLeftArrow=\342\206\231LowerRightArrow=\342\206\230Lscr=\342\204\222"
    "Lsh=\342\206\260Lstrok=\305\201Lt=\342\211\252Map=\342\244\205Mcy=\320\234"
    "MediumSpace=\342\201\237Mellintrf=\342\204\263Mfr=\360\235\224\220"
    "MinusPlus=\342\210\223Mopf=\360\235\225\204Mscr=\342\204\263Mu=\316\234NJcy=\320\212"
    "Nacute=\305\203Ncaron=\305\207Ncedil=\305\205Ncy=\320\235"
    "NegativeMediumSpace=\342\200\213NegativeThickSpace=\342\200\213"
    "NegativeThinSpace=\342\200\213NegativeVeryThinSpace=\342\200\213"
    "NestedGreaterGreater=\342\211\253NestedLessLess=\342\211\252NewLine=\012"
    "Nfr=\360\235\224\221NoBreak=\342\201\240NonBreakingSpace=\302\240Nopf=\342\204\225"
    "Not=\342\253\254NotCongruent=\342\211\242NotCupCap=\342\211\255"
    "NotDoubleVerticalBar=\342\210\246NotElement=\342\210\211NotEqual=\342\211\240"
    "NotEqualTilde=\342\211\202\314\270NotExists=\342\210\204NotGreater=\342\211\257"
    "NotGreaterEqual=\342\211\261NotGreaterFullEqual=\342\211\247\314\270"
    "NotGreaterGreater=\342\211\253\314\270NotGreaterLess=\342\211\271"
    "NotGreaterSlantEqual=\342\251\276\314\270NotGreaterTilde=\342\211\265"
    "NotHumpDownHump=\342\211\216\314\270NotHumpEqual=\342\211\217\314\270"
    "NotLeftTriangle=\342\213\252NotLeftTriangleBar=\342\247\217\314\270"
    "NotLeftTriangleEqual=\342\213\254NotLess=\342\211\256NotLessEqual=\342\211\260"
    "NotLessGreater=\342\211\270NotLessLess=\342\211\252\314\270"
    "NotLessSlantEqual=\342\251\275\314\270NotLessTilde=\342\211\264"
    "NotNestedGreaterGreater=\342\252\242\314\270NotNestedLessLess=\342\252\241\314\270"
    "NotPrecedes=\342\212\200NotPrecedesEqual=\342\252\257\314\270"
    "NotPrecedesSlantEqual=\342\213\240NotReverseElement=\342\210\214"
    "NotRightTriangle=\342\213\253NotRightTriangleBar=\342\247\220\314\270"
    "NotRightTriangleEqual=\342\213\255NotSquareSubset=\342\212\217\314\270"
    "NotSquareSubsetEqual=\342\213\242NotSquareSuperset=\342\212\220\314\270"
    "NotSquareSupersetEqual=\342\213\243NotSubset=\342\212\202\342\203\222"
    "NotSubsetEqual=\342\212\210NotSucceeds=\342\212\201"
    "NotSucceedsEqual=\342\252\260\314\270NotSucceedsSlantEqual=\342\213\241"
    "NotSucceedsTilde=\342\211\277\314\270NotSuperset=\342\212\203\342\203\222"
    "NotSupersetEqual=\342\212\211NotTilde=\342\211\201NotTildeEqual=\342\211\204"
    "NotTildeFullEqual=\342\211\207NotTildeTilde=\342\211\211NotVerticalBar=\342\210\244"
    "Nscr=\360\235\222\251Ntilde:\303\221Nu=\316\235OElig=\305\222Oacute:\303\223"
    "Ocirc:\303\224Ocy=\320\236Odblac=\305\220Ofr=\360\235\224\222Ograve:\303\222"
    "Omacr=\305\214Omega=\316\251Omicron=\316\237Oopf=\360\235\225\206"
    "OpenCurlyDoubleQuote=\342\200\234OpenCurlyQuote=\342\200\230Or=\342\251\224"
    "Oscr=\360\235\222\252Oslash:\303\230Otilde:\303\225Otimes=\342\250\267Ouml:\303\226"
    "OverBar=\342\200\276OverBrace=\342\217\236OverBracket=\342\216\264"
    "OverParenthesis=\342\217\234PartialD=\342\210\202Pcy=\320\237Pfr=\360\235\224\223"
    "Phi=\316\246Pi=\316\240PlusMinus=\302\261Poincareplane=\342\204\214Popf=\342\204\231"
    "Pr=\342\252\273Precedes=\342\211\272PrecedesEqual=\342\252\257"
    "PrecedesSlantEqual=\342\211\274PrecedesTilde=\342\211\276Prime=\342\200\263"
    "Product=\342\210\217Proportion=\342\210\267Proportional=\342\210\235"
    "Pscr=\360\235\222\253Psi=\316\250QUOT:\042Qfr=\360\235\224\224Qopf=\342\204\232"
    "Qscr=\360\235\222\254RBarr=\342\244\220REG:\302\256Racute=\305\224Rang=\342\237\253"
    "Rarr=\342\206\240Rarrtl=\342\244\226Rcaron=\305\230Rcedil=\305\226Rcy=\320\240"
    "Re=\342\204\234ReverseElement=\342\210\213ReverseEquilibrium=\342\207\213"
    "ReverseUpEquilibrium=\342\245\257Rfr=\342\204\234Rho=\316\241"
    "RightAngleBracket=\342\237\251RightArrow=\342\206\222RightArrowBar=\342\207\245"
    "RightArrowLeftArrow=\342\207\204RightCeiling=\342\214\211"
    "RightDoubleBracket=\342\237\247RightDownTeeVector=\342\245\235"
    "RightDownVector=\342\207\202RightDownVectorBar=\342\245\225RightFloor=\342\214\213"
    "RightTee=\342\212\242RightTeeArrow=\342\206\246RightTeeVector=\342\245\233"
    "RightTriangle=\342\212\263RightTriangleBar=\342\247\220"
    "RightTriangleEqual=\342\212\265RightUpDownVector=\342\245\217"
    "RightUpTeeVector=\342\245\234RightUpVector=\342\206\276RightUpVectorBar=\342\245\224"
    "RightVector=\342\207\200RightVectorBar=\342\245\223Rightarrow=\342\207\222"
    "Ropf=\342\204\235RoundImplies=\342\245\260Rrightarrow=\342\207\233Rscr=\342\204\233"
    "Rsh=\342\206\261RuleDelayed=\342\247\264SHCHcy=\320\251SHcy=\320\250SOFTcy=\320\254"
    "Sacute=\305\232Sc=\342\252\274Scaron=\305\240Scedil=\305\236Scirc=\305\234"
    "Scy=\320\241Sfr=\360\235\224\226ShortDownArrow=\342\206\223"
    "ShortLeftArrow=\342\206\220ShortRightArrow=\342\206\222ShortUpArrow=\342\206\221"
    "Sigma=\316\243SmallCircle=\342\210\230Sopf=\360\235\225\212Sqrt=\342\210\232"
    "Square=\342\226\241SquareIntersection=\342\212\223SquareSubset=\342\212\217"
    "SquareSubsetEqual=\342\212\221SquareSuperset=\342\212\220"
    "SquareSupersetEqual=\342\212\222SquareUnion=\342\212\224Sscr=\360\235\222\256"
    "Star=\342\213\206Sub=\342\213\220Subset=\342\213\220SubsetEqual=\342\212\206"
    "Succeeds=\342\211\273SucceedsEqual=\342\252\260SucceedsSlantEqual=\342\211\275"
    "SucceedsTilde=\342\211\277SuchThat=\342\210\213Sum=\342\210\221Sup=\342\213\221"
    "Superset=\342\212\203SupersetEqual=\342\212\207Supset=\342\213\221THORN:\303\236"
    "TRADE=\342\204\242TSHcy=\320\213TScy=\320\246Tab=\011Tau=\316\244Tcaron=\305\244"
    "Tcedil=\305\242Tcy=\320\242Tfr=\360\235\224\227Therefore=\342\210\264Theta=\316\230"
    "ThickSpace=\342\201\237\342\200\212ThinSpace=\342\200\211Tilde=\342\210\274"
    "TildeEqual=\342\211\203TildeFullEqual=\342\211\205TildeTilde=\342\211\210"
    "Topf=\360\235\225\213TripleDot=\342\203\233Tscr=\360\235\222\257Tstrok=\305\246"
    "Uacute:\303\232Uarr=\342\206\237Uarrocir=\342\245\211Ubrcy=\320\216Ubreve=\305\254"
    "Ucirc:\303\233Ucy=\320\243Udblac=\305\260Ufr=\360\235\224\230Ugrave:\303\231"
    "Umacr=\305\252UnderBar=_UnderBrace=\342\217\237UnderBracket=\342\216\265"
    "UnderParenthesis=\342\217\235Union=\342\213\203UnionPlus=\342\212\216Uogon=\305\262"
    "Uopf=\360\235\225\214UpArrow=\342\206\221UpArrowBar=\342\244\222"
    "UpArrowDownArrow=\342\207\205UpDownArrow=\342\206\225UpEquilibrium=\342\245\256"
    "UpTee=\342\212\245UpTeeArrow=\342\206\245Uparrow=\342\207\221"
    "Updownarrow=\342\207\225UpperLeftArrow=\342\206\226UpperRightArrow=\342\206\227"
    "Upsi=\317\222Upsilon=\316\245Uring=\305\256Uscr=\360\235\222\260Utilde=\305\250"
    "Uuml:\303\234VDash=\342\212\253Vbar=\342\253\253Vcy=\320\222Vdash=\342\212\251"
    "Vdashl=\342\253\246Vee=\342\213\201Verbar=\342\200\226Vert=\342\200\226"
    "VerticalBar=\342\210\243VerticalLine=|VerticalSeparator=\342\235\230"
    "VerticalTilde=\342\211\200VeryThinSpace=\342\200\212Vfr=\360\235\224\231"
    "Vopf=\360\235\225\215Vscr=\360\235\222\261Vvdash=\342\212\252Wcirc=\305\264"
    "Wedge=\342\213\200Wfr=\360\235\224\232Wopf=\360\235\225\216Wscr=\360\235\222\262"
    "Xfr=\360\235\224\233Xi=\316\236Xopf=\360\235\225\217Xscr=\360\235\222\263"
    "YAcy=\320\257YIcy=\320\207YUcy=\320\256Yacute:\303\235Ycirc=\305\266Ycy=\320\253"
    "Yfr=\360\235\224\234Yopf=\360\235\225\220Yscr=\360\235\222\264Yuml=\305\270"
    "ZHcy=\320\226Zacute=\305\271Zcaron=\305\275Zcy=\320\227Zdot=\305\273"
    "ZeroWidthSpace=\342\200\213Zeta=\316\226Zfr=\342\204\250Zopf=\342\204\244"
    "Zscr=\360\235\222\265aacute:\303\241abreve=\304\203ac=\342\210\276"
    "acE=\342\210\276\314\263acd=\342\210\277acirc:\303\242acute:\302\264acy=\320\260"
    "aelig:\303\246af=\342\201\241afr=\360\235\224\236agrave:\303\240alefsym=\342\204\265"
    "aleph=\342\204\265alpha=\316\261amacr=\304\201amalg=\342\250\277amp:&"
    "and=\342\210\247andand=\342\251\225andd=\342\251\234andslope=\342\251\230"
    "andv=\342\251\232ang=\342\210\240ange=\342\246\244angle=\342\210\240"
    "angmsd=\342\210\241angmsdaa=\342\246\250angmsdab=\342\246\251angmsdac=\342\246\252"
    "angmsdad=\342\246\253angmsdae=\342\246\254angmsdaf=\342\246\255angmsdag=\342\246\256"
    "angmsdah=\342\246\257angrt=\342\210\237angrtvb=\342\212\276angrtvbd=\342\246\235"
    "angsph=\342\210\242angst=\303\205angzarr=\342\215\274aogon=\304\205"
    "aopf=\360\235\225\222ap=\342\211\210apE=\342\251\260apacir=\342\251\257"
    "ape=\342\211\212apid=\342\211\213apos='approx=\342\211\210approxeq=\342\211\212"
    "aring:\303\245ascr=\360\235\222\266ast=*asymp=\342\211\210asympeq=\342\211\215"
    "atilde:\303\243auml:\303\244awconint=\342\210\263awint=\342\250\221bNot=\342\253\255"
    "backcong=\342\211\214backepsilon=\317\266backprime=\342\200\265backsim=\342\210\275"
    "backsimeq=\342\213\215barvee=\342\212\275barwed=\342\214\205barwedge=\342\214\205"
    "bbrk=\342\216\265bbrktbrk=\342\216\266bcong=\342\211\214bcy=\320\261"
    "bdquo=\342\200\236becaus=\342\210\265because=\342\210\265bemptyv=\342\246\260"
    "bepsi=\317\266bernou=\342\204\254beta=\316\262beth=\342\204\266between=\342\211\254"
    "bfr=\360\235\224\237bigcap=\342\213\202bigcirc=\342\227\257bigcup=\342\213\203"
    "bigodot=\342\250\200bigoplus=\342\250\201bigotimes=\342\250\202bigsqcup=\342\250\206"
    "bigstar=\342\230\205bigtriangledown=\342\226\275bigtriangleup=\342\226\263"
    "biguplus=\342\250\204bigvee=\342\213\201bigwedge=\342\213\200bkarow=\342\244\215"
    "blacklozenge=\342\247\253blacksquare=\342\226\252blacktriangle=\342\226\264"
    "blacktriangledown=\342\226\276blacktriangleleft=\342\227\202"
    "blacktriangleright=\342\226\270blank=\342\220\243blk12=\342\226\222"
    "blk14=\342\226\221blk34=\342\226\223block=\342\226\210bne==\342\203\245"
    "bnequiv=\342\211\241\342\203\245bnot=\342\214\220bopf=\360\235\225\223"
    "bot=\342\212\245bottom=\342\212\245bowtie=\342\213\210boxDL=\342\225\227"
    "boxDR=\342\225\224boxDl=\342\225\226boxDr=\342\225\223boxH=\342\225\220"
    "boxHD=\342\225\246boxHU=\342\225\251boxHd=\342\225\244boxHu=\342\225\247"
    "boxUL=\342\225\235boxUR=\342\225\232boxUl=\342\225\234boxUr=\342\225\231"
    "boxV=\342\225\221boxVH=\342\225\254boxVL=\342\225\243boxVR=\342\225\240"
    "boxVh=\342\225\253boxVl=\342\225\242boxVr=\342\225\237boxbox=\342\247\211"
    "boxdL=\342\225\225boxdR=\342\225\222boxdl=\342\224\220boxdr=\342\224\214"
    "boxh=\342\224\200boxhD=\342\225\245boxhU=\342\225\250boxhd=\342\224\254"
    "boxhu=\342\224\264boxminus=\342\212\237boxplus=\342\212\236boxtimes=\342\212\240"
    "boxuL=\342\225\233boxuR=\342\225\230boxul=\342\224\230boxur=\342\224\224"
    "boxv=\342\224\202boxvH=\342\225\252boxvL=\342\225\241boxvR=\342\225\236"
    "boxvh=\342\224\274boxvl=\342\224\244boxvr=\342\224\234bprime=\342\200\265"
    "breve=\313\230brvbar:\302\246bscr=\360\235\222\267bsemi=\342\201\217"
    "bsim=\342\210\275bsime=\342\213\215bsol=\134bsolb=\342\247\205bsolhsub=\342\237\210"
    "bull=\342\200\242bullet=\342\200\242bump=\342\211\216bumpE=\342\252\256"
    "bumpe=\342\211\217bumpeq=\342\211\217cacute=\304\207cap=\342\210\251"
    "capand=\342\251\204capbrcup=\342\251\211capcap=\342\251\213capcup=\342\251\207"
    "capdot=\342\251\200caps=\342\210\251\357\270\200caret=\342\201\201caron=\313\207"
    "ccaps=\342\251\215ccaron=\304\215ccedil:\303\247ccirc=\304\211ccups=\342\251\214"
    "ccupssm=\342\251\220cdot=\304\213cedil:\302\270cemptyv=\342\246\262cent:\302\242"
    "centerdot=\302\267cfr=\360\235\224\240chcy=\321\207check=\342\234\223"
    "checkmark=\342\234\223chi=\317\207cir=\342\227\213cirE=\342\247\203circ=\313\206"
    "circeq=\342\211\227circlearrowleft=\342\206\272circlearrowright=\342\206\273"
    "circledR=\302\256circledS=\342\223\210circledast=\342\212\233"
    "circledcirc=\342\212\232circleddash=\342\212\235cire=\342\211\227"
    "cirfnint=\342\250\220cirmid=\342\253\257cirscir=\342\247\202clubs=\342\231\243"
    "clubsuit=\342\231\243colon=:colone=\342\211\224coloneq=\342\211\224comma=,commat=@"
    "comp=\342\210\201compfn=\342\210\230complement=\342\210\201complexes=\342\204\202"
    "cong=\342\211\205congdot=\342\251\255conint=\342\210\256copf=\360\235\225\224"
    "coprod=\342\210\220copy:\302\251copysr=\342\204\227crarr=\342\206\265"
    "cross=\342\234\227cscr=\360\235\222\270csub=\342\253\217csube=\342\253\221"
    "csup=\342\253\220csupe=\342\253\222ctdot=\342\213\257cudarrl=\342\244\270"
    "cudarrr=\342\244\265cuepr=\342\213\236cuesc=\342\213\237cularr=\342\206\266"
    "cularrp=\342\244\275cup=\342\210\252cupbrcap=\342\251\210cupcap=\342\251\206"
    "cupcup=\342\251\212cupdot=\342\212\215cupor=\342\251\205"
    "cups=\342\210\252\357\270\200curarr=\342\206\267curarrm=\342\244\274"
    "curlyeqprec=\342\213\236curlyeqsucc=\342\213\237curlyvee=\342\213\216"
    "curlywedge=\342\213\217curren:\302\244curvearrowleft=\342\206\266"
    "curvearrowright=\342\206\267cuvee=\342\213\216cuwed=\342\213\217"
    "cwconint=\342\210\262cwint=\342\210\261cylcty=\342\214\255dArr=\342\207\223"
    "dHar=\342\245\245dagger=\342\200\240daleth=\342\204\270darr=\342\206\223"
    "dash=\342\200\220dashv=\342\212\243dbkarow=\342\244\217dblac=\313\235dcaron=\304\217"
    "dcy=\320\264dd=\342\205\206ddagger=\342\200\241ddarr=\342\207\212"
    "ddotseq=\342\251\267deg:\302\260delta=\316\264demptyv=\342\246\261"
    "dfisht=\342\245\277dfr=\360\235\224\241dharl=\342\207\203dharr=\342\207\202"
    "diam=\342\213\204diamond=\342\213\204diamondsuit=\342\231\246diams=\342\231\246"
    "die=\302\250digamma=\317\235disin=\342\213\262div=\303\267divide:\303\267"
    "divideontimes=\342\213\207divonx=\342\213\207djcy=\321\222dlcorn=\342\214\236"
    "dlcrop=\342\214\215dollar=$dopf=\360\235\225\225dot=\313\231doteq=\342\211\220"
    "doteqdot=\342\211\221dotminus=\342\210\270dotplus=\342\210\224dotsquare=\342\212\241"
    "doublebarwedge=\342\214\206downarrow=\342\206\223downdownarrows=\342\207\212"
    "downharpoonleft=\342\207\203downharpoonright=\342\207\202drbkarow=\342\244\220"
    "drcorn=\342\214\237drcrop=\342\214\214dscr=\360\235\222\271dscy=\321\225"
    "dsol=\342\247\266dstrok=\304\221dtdot=\342\213\261dtri=\342\226\277"
    "dtrif=\342\226\276duarr=\342\207\265duhar=\342\245\257dwangle=\342\246\246"
    "dzcy=\321\237dzigrarr=\342\237\277eDDot=\342\251\267eDot=\342\211\221eacute:\303\251"
    "easter=\342\251\256ecaron=\304\233ecir=\342\211\226ecirc:\303\252ecolon=\342\211\225"
    "ecy=\321\215edot=\304\227ee=\342\205\207efDot=\342\211\222efr=\360\235\224\242"
    "eg=\342\252\232egrave:\303\250egs=\342\252\226egsdot=\342\252\230el=\342\252\231"
    "elinters=\342\217\247ell=\342\204\223els=\342\252\225elsdot=\342\252\227"
    "emacr=\304\223empty=\342\210\205emptyset=\342\210\205emptyv=\342\210\205"
    "emsp=\342\200\203emsp13=\342\200\204emsp14=\342\200\205eng=\305\213ensp=\342\200\202"
    "eogon=\304\231eopf=\360\235\225\226epar=\342\213\225eparsl=\342\247\243"
    "eplus=\342\251\261epsi=\316\265epsilon=\316\265epsiv=\317\265eqcirc=\342\211\226"
    "eqcolon=\342\211\225eqsim=\342\211\202eqslantgtr=\342\252\226"
    "eqslantless=\342\252\225equals==equest=\342\211\237equiv=\342\211\241"
    "equivDD=\342\251\270eqvparsl=\342\247\245erDot=\342\211\223erarr=\342\245\261"
    "escr=\342\204\257esdot=\342\211\220esim=\342\211\202eta=\316\267eth:\303\260"
    "euml:\303\253euro=\342\202\254excl=!exist=\342\210\203expectation=\342\204\260"
    "exponentiale=\342\205\207fallingdotseq=\342\211\222fcy=\321\204female=\342\231\200"
    "ffilig=\357\254\203fflig=\357\254\200ffllig=\357\254\204ffr=\360\235\224\243"
    "filig=\357\254\201fjlig=fjflat=\342\231\255fllig=\357\254\202fltns=\342\226\261"
    "fnof=\306\222fopf=\360\235\225\227forall=\342\210\200fork=\342\213\224"
    "forkv=\342\253\231fpartint=\342\250\215frac12:\302\275frac13=\342\205\223"
    "frac14:\302\274frac15=\342\205\225frac16=\342\205\231frac18=\342\205\233"
    "frac23=\342\205\224frac25=\342\205\226frac34:\302\276frac35=\342\205\227"
    "frac38=\342\205\234frac45=\342\205\230frac56=\342\205\232frac58=\342\205\235"
    "frac78=\342\205\236frasl=\342\201\204frown=\342\214\242fscr=\360\235\222\273"
    "gE=\342\211\247gEl=\342\252\214gacute=\307\265gamma=\316\263gammad=\317\235"
    "gap=\342\252\206gbreve=\304\237gcirc=\304\235gcy=\320\263gdot=\304\241"
    "ge=\342\211\245gel=\342\213\233geq=\342\211\245geqq=\342\211\247"
    "geqslant=\342\251\276ges=\342\251\276gescc=\342\252\251gesdot=\342\252\200"
    "gesdoto=\342\252\202gesdotol=\342\252\204gesl=\342\213\233\357\270\200"
    "gesles=\342\252\224gfr=\360\235\224\244gg=\342\211\253ggg=\342\213\231"
    "gimel=\342\204\267gjcy=\321\223gl=\342\211\267glE=\342\252\222gla=\342\252\245"
    "glj=\342\252\244gnE=\342\211\251gnap=\342\252\212gnapprox=\342\252\212"
    "gne=\342\252\210gneq=\342\252\210gneqq=\342\211\251gnsim=\342\213\247"
    "gopf=\360\235\225\230grave=`gscr=\342\204\212gsim=\342\211\263gsime=\342\252\216"
    "gsiml=\342\252\220gt:>gtcc=\342\252\247gtcir=\342\251\272gtdot=\342\213\227"
    "gtlPar=\342\246\225gtquest=\342\251\274gtrapprox=\342\252\206gtrarr=\342\245\270"
    "gtrdot=\342\213\227gtreqless=\342\213\233gtreqqless=\342\252\214gtrless=\342\211\267"
    "gtrsim=\342\211\263gvertneqq=\342\211\251\357\270\200gvnE=\342\211\251\357\270\200"
    "hArr=\342\207\224hairsp=\342\200\212half=\302\275hamilt=\342\204\213hardcy=\321\212"
    "harr=\342\206\224harrcir=\342\245\210harrw=\342\206\255hbar=\342\204\217"
    "hcirc=\304\245hearts=\342\231\245heartsuit=\342\231\245hellip=\342\200\246"
    "hercon=\342\212\271hfr=\360\235\224\245hksearow=\342\244\245hkswarow=\342\244\246"
    "hoarr=\342\207\277homtht=\342\210\273hookleftarrow=\342\206\251"
    "hookrightarrow=\342\206\252hopf=\360\235\225\231horbar=\342\200\225"
    "hscr=\360\235\222\275hslash=\342\204\217hstrok=\304\247hybull=\342\201\203"
    "hyphen=\342\200\220iacute:\303\255ic=\342\201\243icirc:\303\256icy=\320\270"
    "iecy=\320\265iexcl:\302\241iff=\342\207\224ifr=\360\235\224\246igrave:\303\254"
    "ii=\342\205\210iiiint=\342\250\214iiint=\342\210\255iinfin=\342\247\234"
    "iiota=\342\204\251ijlig=\304\263imacr=\304\253image=\342\204\221"
    "imagline=\342\204\220imagpart=\342\204\221imath=\304\261imof=\342\212\267"
    "imped=\306\265in=\342\210\210incare=\342\204\205infin=\342\210\236"
    "infintie=\342\247\235inodot=\304\261int=\342\210\253intcal=\342\212\272"
    "integers=\342\204\244intercal=\342\212\272intlarhk=\342\250\227intprod=\342\250\274"
    "iocy=\321\221iogon=\304\257iopf=\360\235\225\232iota=\316\271iprod=\342\250\274"
    "iquest:\302\277iscr=\360\235\222\276isin=\342\210\210isinE=\342\213\271"
    "isindot=\342\213\265isins=\342\213\264isinsv=\342\213\263isinv=\342\210\210"
    "it=\342\201\242itilde=\304\251iukcy=\321\226iuml:\303\257jcirc=\304\265jcy=\320\271"
    "jfr=\360\235\224\247jmath=\310\267jopf=\360\235\225\233jscr=\360\235\222\277"
    "jsercy=\321\230jukcy=\321\224kappa=\316\272kappav=\317\260kcedil=\304\267"
    "kcy=\320\272kfr=\360\235\224\250kgreen=\304\270khcy=\321\205kjcy=\321\234"
    "kopf=\360\235\225\234kscr=\360\235\223\200lAarr=\342\207\232lArr=\342\207\220"
    "lAtail=\342\244\233lBarr=\342\244\216lE=\342\211\246lEg=\342\252\213"
    "lHar=\342\245\242lacute=\304\272laemptyv=\342\246\264lagran=\342\204\222"
    "lambda=\316\273lang=\342\237\250langd=\342\246\221langle=\342\237\250"
    "lap=\342\252\205laquo:\302\253larr=\342\206\220larrb=\342\207\244"
    "larrbfs=\342\244\237larrfs=\342\244\235larrhk=\342\206\251larrlp=\342\206\253"
    "larrpl=\342\244\271larrsim=\342\245\263larrtl=\342\206\242lat=\342\252\253"
    "latail=\342\244\231late=\342\252\255lates=\342\252\255\357\270\200lbarr=\342\244\214"
    "lbbrk=\342\235\262lbrace={lbrack=[lbrke=\342\246\213lbrksld=\342\246\217"
    "lbrkslu=\342\246\215lcaron=\304\276lcedil=\304\274lceil=\342\214\210lcub={"
    "lcy=\320\273ldca=\342\244\266ldquo=\342\200\234ldquor=\342\200\236"
    "ldrdhar=\342\245\247ldrushar=\342\245\213ldsh=\342\206\262le=\342\211\244"
    "leftarrow=\342\206\220leftarrowtail=\342\206\242leftharpoondown=\342\206\275"
    "leftharpoonup=\342\206\274leftleftarrows=\342\207\207leftrightarrow=\342\206\224"
    "leftrightarrows=\342\207\206leftrightharpoons=\342\207\213"
    "leftrightsquigarrow=\342\206\255leftthreetimes=\342\213\213leg=\342\213\232"
    "leq=\342\211\244leqq=\342\211\246leqslant=\342\251\275les=\342\251\275"
    "lescc=\342\252\250lesdot=\342\251\277lesdoto=\342\252\201lesdotor=\342\252\203"
    "lesg=\342\213\232\357\270\200lesges=\342\252\223lessapprox=\342\252\205"
    "lessdot=\342\213\226lesseqgtr=\342\213\232lesseqqgtr=\342\252\213"
    "lessgtr=\342\211\266lesssim=\342\211\262lfisht=\342\245\274lfloor=\342\214\212"
    "lfr=\360\235\224\251lg=\342\211\266lgE=\342\252\221lhard=\342\206\275"
    "lharu=\342\206\274lharul=\342\245\252lhblk=\342\226\204ljcy=\321\231ll=\342\211\252"
    "llarr=\342\207\207llcorner=\342\214\236llhard=\342\245\253lltri=\342\227\272"
    "lmidot=\305\200lmoust=\342\216\260lmoustache=\342\216\260lnE=\342\211\250"
    "lnap=\342\252\211lnapprox=\342\252\211lne=\342\252\207lneq=\342\252\207"
    "lneqq=\342\211\250lnsim=\342\213\246loang=\342\237\254loarr=\342\207\275"
    "lobrk=\342\237\246longleftarrow=\342\237\265longleftrightarrow=\342\237\267"
    "longmapsto=\342\237\274longrightarrow=\342\237\266looparrowleft=\342\206\253"
    "looparrowright=\342\206\254lopar=\342\246\205lopf=\360\235\225\235"
    "loplus=\342\250\255lotimes=\342\250\264lowast=\342\210\227lowbar=_loz=\342\227\212"
    "lozenge=\342\227\212lozf=\342\247\253lpar=(lparlt=\342\246\223lrarr=\342\207\206"
    "lrcorner=\342\214\237lrhar=\342\207\213lrhard=\342\245\255lrm=\342\200\216"
    "lrtri=\342\212\277lsaquo=\342\200\271lscr=\360\235\223\201lsh=\342\206\260"
    "lsim=\342\211\262lsime=\342\252\215lsimg=\342\252\217lsqb=[lsquo=\342\200\230"
    "lsquor=\342\200\232lstrok=\305\202lt:<ltcc=\342\252\246ltcir=\342\251\271"
    "ltdot=\342\213\226lthree=\342\213\213ltimes=\342\213\211ltlarr=\342\245\266"
    "ltquest=\342\251\273ltrPar=\342\246\226ltri=\342\227\203ltrie=\342\212\264"
    "ltrif=\342\227\202lurdshar=\342\245\212luruhar=\342\245\246"
    "lvertneqq=\342\211\250\357\270\200lvnE=\342\211\250\357\270\200mDDot=\342\210\272"
    "macr:\302\257male=\342\231\202malt=\342\234\240maltese=\342\234\240map=\342\206\246"
    "mapsto=\342\206\246mapstodown=\342\206\247mapstoleft=\342\206\244"
    "mapstoup=\342\206\245marker=\342\226\256mcomma=\342\250\251mcy=\320\274"
    "mdash=\342\200\224measuredangle=\342\210\241mfr=\360\235\224\252mho=\342\204\247"
    "micro:\302\265mid=\342\210\243midast=*midcir=\342\253\260middot:\302\267"
    "minus=\342\210\222minusb=\342\212\237minusd=\342\210\270minusdu=\342\250\252"
    "mlcp=\342\253\233mldr=\342\200\246mnplus=\342\210\223models=\342\212\247"
    "mopf=\360\235\225\236mp=\342\210\223mscr=\360\235\223\202mstpos=\342\210\276"
    "mu=\316\274multimap=\342\212\270mumap=\342\212\270nGg=\342\213\231\314\270"
    "nGt=\342\211\253\342\203\222nGtv=\342\211\253\314\270nLeftarrow=\342\207\215"
    "nLeftrightarrow=\342\207\216nLl=\342\213\230\314\270nLt=\342\211\252\342\203\222"
    "nLtv=\342\211\252\314\270nRightarrow=\342\207\217nVDash=\342\212\257"
    "nVdash=\342\212\256nabla=\342\210\207nacute=\305\204nang=\342\210\240\342\203\222"
    "nap=\342\211\211napE=\342\251\260\314\270napid=\342\211\213\314\270napos=\305\211"
    "napprox=\342\211\211natur=\342\231\256natural=\342\231\256naturals=\342\204\225"
    "nbsp:\302\240nbump=\342\211\216\314\270nbumpe=\342\211\217\314\270ncap=\342\251\203"
    "ncaron=\305\210ncedil=\305\206ncong=\342\211\207ncongdot=\342\251\255\314\270"
    "ncup=\342\251\202ncy=\320\275ndash=\342\200\223ne=\342\211\240neArr=\342\207\227"
    "nearhk=\342\244\244nearr=\342\206\227nearrow=\342\206\227nedot=\342\211\220\314\270"
    "nequiv=\342\211\242nesear=\342\244\250nesim=\342\211\202\314\270nexist=\342\210\204"
    "nexists=\342\210\204nfr=\360\235\224\253ngE=\342\211\247\314\270nge=\342\211\261"
    "ngeq=\342\211\261ngeqq=\342\211\247\314\270ngeqslant=\342\251\276\314\270"
    "nges=\342\251\276\314\270ngsim=\342\211\265ngt=\342\211\257ngtr=\342\211\257"
    "nhArr=\342\207\216nharr=\342\206\256nhpar=\342\253\262ni=\342\210\213"
    "nis=\342\213\274nisd=\342\213\272niv=\342\210\213njcy=\321\232nlArr=\342\207\215"
    "nlE=\342\211\246\314\270nlarr=\342\206\232nldr=\342\200\245nle=\342\211\260"
    "nleftarrow=\342\206\232nleftrightarrow=\342\206\256nleq=\342\211\260"
    "nleqq=\342\211\246\314\270nleqslant=\342\251\275\314\270nles=\342\251\275\314\270"
    "nless=\342\211\256nlsim=\342\211\264nlt=\342\211\256nltri=\342\213\252"
    "nltrie=\342\213\254nmid=\342\210\244nopf=\360\235\225\237not:\302\254"
    "notin=\342\210\211notinE=\342\213\271\314\270notindot=\342\213\265\314\270"
    "notinva=\342\210\211notinvb=\342\213\267notinvc=\342\213\266notni=\342\210\214"
    "notniva=\342\210\214notnivb=\342\213\276notnivc=\342\213\275npar=\342\210\246"
    "nparallel=\342\210\246nparsl=\342\253\275\342\203\245npart=\342\210\202\314\270"
    "npolint=\342\250\224npr=\342\212\200nprcue=\342\213\240npre=\342\252\257\314\270"
    "nprec=\342\212\200npreceq=\342\252\257\314\270nrArr=\342\207\217nrarr=\342\206\233"
    "nrarrc=\342\244\263\314\270nrarrw=\342\206\235\314\270nrightarrow=\342\206\233"
    "nrtri=\342\213\253nrtrie=\342\213\255nsc=\342\212\201nsccue=\342\213\241"
    "nsce=\342\252\260\314\270nscr=\360\235\223\203nshortmid=\342\210\244"
    "nshortparallel=\342\210\246nsim=\342\211\201nsime=\342\211\204nsimeq=\342\211\204"
    "nsmid=\342\210\244nspar=\342\210\246nsqsube=\342\213\242nsqsupe=\342\213\243"
    "nsub=\342\212\204nsubE=\342\253\205\314\270nsube=\342\212\210"
    "nsubset=\342\212\202\342\203\222nsubseteq=\342\212\210"
    "nsubseteqq=\342\253\205\314\270nsucc=\342\212\201nsucceq=\342\252\260\314\270"
    "nsup=\342\212\205nsupE=\342\253\206\314\270nsupe=\342\212\211"
    "nsupset=\342\212\203\342\203\222nsupseteq=\342\212\211"
    "nsupseteqq=\342\253\206\314\270ntgl=\342\211\271ntilde:\303\261ntlg=\342\211\270"
    "ntriangleleft=\342\213\252ntrianglelefteq=\342\213\254ntriangleright=\342\213\253"
    "ntrianglerighteq=\342\213\255nu=\316\275num=#numero=\342\204\226numsp=\342\200\207"
    "nvDash=\342\212\255nvHarr=\342\244\204nvap=\342\211\215\342\203\222"
    "nvdash=\342\212\254nvge=\342\211\245\342\203\222nvgt=>\342\203\222"
    "nvinfin=\342\247\236nvlArr=\342\244\202nvle=\342\211\244\342\203\222"
    "nvlt=<\342\203\222nvltrie=\342\212\264\342\203\222nvrArr=\342\244\203"
    "nvrtrie=\342\212\265\342\203\222nvsim=\342\210\274\342\203\222nwArr=\342\207\226"
    "nwarhk=\342\244\243nwarr=\342\206\226nwarrow=\342\206\226nwnear=\342\244\247"
    "oS=\342\223\210oacute:\303\263oast=\342\212\233ocir=\342\212\232ocirc:\303\264"
    "ocy=\320\276odash=\342\212\235odblac=\305\221odiv=\342\250\270odot=\342\212\231"
    "odsold=\342\246\274oelig=\305\223ofcir=\342\246\277ofr=\360\235\224\254ogon=\313\233"
    "ograve:\303\262ogt=\342\247\201ohbar=\342\246\265ohm=\316\251oint=\342\210\256"
    "olarr=\342\206\272olcir=\342\246\276olcross=\342\246\273oline=\342\200\276"
    "olt=\342\247\200omacr=\305\215omega=\317\211omicron=\316\277omid=\342\246\266"
    "ominus=\342\212\226oopf=\360\235\225\240opar=\342\246\267operp=\342\246\271"
    "oplus=\342\212\225or=\342\210\250orarr=\342\206\273ord=\342\251\235"
    "order=\342\204\264orderof=\342\204\264ordf:\302\252ordm:\302\272origof=\342\212\266"
    "oror=\342\251\226orslope=\342\251\227orv=\342\251\233oscr=\342\204\264"
    "oslash:\303\270osol=\342\212\230otilde:\303\265otimes=\342\212\227"
    "otimesas=\342\250\266ouml:\303\266ovbar=\342\214\275par=\342\210\245para:\302\266"
    "parallel=\342\210\245parsim=\342\253\263parsl=\342\253\275part=\342\210\202"
    "pcy=\320\277percnt=%period=.permil=\342\200\260perp=\342\212\245pertenk=\342\200\261"
    "pfr=\360\235\224\255phi=\317\206phiv=\317\225phmmat=\342\204\263phone=\342\230\216"
    "pi=\317\200pitchfork=\342\213\224piv=\317\226planck=\342\204\217planckh=\342\204\216"
    "plankv=\342\204\217plus=+plusacir=\342\250\243plusb=\342\212\236pluscir=\342\250\242"
    "plusdo=\342\210\224plusdu=\342\250\245pluse=\342\251\262plusmn:\302\261"
    "plussim=\342\250\246plustwo=\342\250\247pm=\302\261pointint=\342\250\225"
    "popf=\360\235\225\241pound:\302\243pr=\342\211\272prE=\342\252\263prap=\342\252\267"
    "prcue=\342\211\274pre=\342\252\257prec=\342\211\272precapprox=\342\252\267"
    "preccurlyeq=\342\211\274preceq=\342\252\257precnapprox=\342\252\271"
    "precneqq=\342\252\265precnsim=\342\213\250precsim=\342\211\276prime=\342\200\262"
    "primes=\342\204\231prnE=\342\252\265prnap=\342\252\271prnsim=\342\213\250"
    "prod=\342\210\217profalar=\342\214\256profline=\342\214\222profsurf=\342\214\223"
    "prop=\342\210\235propto=\342\210\235prsim=\342\211\276prurel=\342\212\260"
    "pscr=\360\235\223\205psi=\317\210puncsp=\342\200\210qfr=\360\235\224\256"
    "qint=\342\250\214qopf=\360\235\225\242qprime=\342\201\227qscr=\360\235\223\206"
    "quaternions=\342\204\215quatint=\342\250\226quest=\077questeq=\342\211\237quot:\042"
    "rAarr=\342\207\233rArr=\342\207\222rAtail=\342\244\234rBarr=\342\244\217"
    "rHar=\342\245\244race=\342\210\275\314\261racute=\305\225radic=\342\210\232"
    "raemptyv=\342\246\263rang=\342\237\251rangd=\342\246\222range=\342\246\245"
    "rangle=\342\237\251raquo:\302\273rarr=\342\206\222rarrap=\342\245\265"
    "rarrb=\342\207\245rarrbfs=\342\244\240rarrc=\342\244\263rarrfs=\342\244\236"
    "rarrhk=\342\206\252rarrlp=\342\206\254rarrpl=\342\245\205rarrsim=\342\245\264"
    "rarrtl=\342\206\243rarrw=\342\206\235ratail=\342\244\232ratio=\342\210\266"
    "rationals=\342\204\232rbarr=\342\244\215rbbrk=\342\235\263rbrace=}rbrack=]"
    "rbrke=\342\246\214rbrksld=\342\246\216rbrkslu=\342\246\220rcaron=\305\231"
    "rcedil=\305\227rceil=\342\214\211rcub=}rcy=\321\200rdca=\342\244\267"
    "rdldhar=\342\245\251rdquo=\342\200\235rdquor=\342\200\235rdsh=\342\206\263"
    "real=\342\204\234realine=\342\204\233realpart=\342\204\234reals=\342\204\235"
    "rect=\342\226\255reg:\302\256rfisht=\342\245\275rfloor=\342\214\213"
    "rfr=\360\235\224\257rhard=\342\207\201rharu=\342\207\200rharul=\342\245\254"
    "rho=\317\201rhov=\317\261rightarrow=\342\206\222rightarrowtail=\342\206\243"
    "rightharpoondown=\342\207\201rightharpoonup=\342\207\200rightleftarrows=\342\207\204"
    "rightleftharpoons=\342\207\214rightrightarrows=\342\207\211"
    "rightsquigarrow=\342\206\235rightthreetimes=\342\213\214ring=\313\232"
    "risingdotseq=\342\211\223rlarr=\342\207\204rlhar=\342\207\214rlm=\342\200\217"
    "rmoust=\342\216\261rmoustache=\342\216\261rnmid=\342\253\256roang=\342\237\255"
    "roarr=\342\207\276robrk=\342\237\247ropar=\342\246\206ropf=\360\235\225\243"
    "roplus=\342\250\256rotimes=\342\250\265rpar=)rpargt=\342\246\224"
    "rppolint=\342\250\222rrarr=\342\207\211rsaquo=\342\200\272rscr=\360\235\223\207"
    "rsh=\342\206\261rsqb=]rsquo=\342\200\231rsquor=\342\200\231rthree=\342\213\214"
    "rtimes=\342\213\212rtri=\342\226\271rtrie=\342\212\265rtrif=\342\226\270"
    "rtriltri=\342\247\216ruluhar=\342\245\250rx=\342\204\236sacute=\305\233"
    "sbquo=\342\200\232sc=\342\211\273scE=\342\252\264scap=\342\252\270scaron=\305\241"
    "sccue=\342\211\275sce=\342\252\260scedil=\305\237scirc=\305\235scnE=\342\252\266"
    "scnap=\342\252\272scnsim=\342\213\251scpolint=\342\250\223scsim=\342\211\277"
    "scy=\321\201sdot=\342\213\205sdotb=\342\212\241sdote=\342\251\246seArr=\342\207\230"
    "searhk=\342\244\245searr=\342\206\230searrow=\342\206\230sect:\302\247semi=;"
    "seswar=\342\244\251setminus=\342\210\226setmn=\342\210\226sext=\342\234\266"
    "sfr=\360\235\224\260sfrown=\342\214\242sharp=\342\231\257shchcy=\321\211"
    "shcy=\321\210shortmid=\342\210\243shortparallel=\342\210\245shy:\302\255"
    "sigma=\317\203sigmaf=\317\202sigmav=\317\202sim=\342\210\274simdot=\342\251\252"
    "sime=\342\211\203simeq=\342\211\203simg=\342\252\236simgE=\342\252\240"
    "siml=\342\252\235simlE=\342\252\237simne=\342\211\206simplus=\342\250\244"
    "simrarr=\342\245\262slarr=\342\206\220smallsetminus=\342\210\226smashp=\342\250\263"
    "smeparsl=\342\247\244smid=\342\210\243smile=\342\214\243smt=\342\252\252"
    "smte=\342\252\254smtes=\342\252\254\357\270\200softcy=\321\214sol=/solb=\342\247\204"
    "solbar=\342\214\277sopf=\360\235\225\244spades=\342\231\240spadesuit=\342\231\240"
    "spar=\342\210\245sqcap=\342\212\223sqcaps=\342\212\223\357\270\200sqcup=\342\212\224"
    "sqcups=\342\212\224\357\270\200sqsub=\342\212\217sqsube=\342\212\221"
    "sqsubset=\342\212\217sqsubseteq=\342\212\221sqsup=\342\212\220sqsupe=\342\212\222"
    "sqsupset=\342\212\220sqsupseteq=\342\212\222squ=\342\226\241square=\342\226\241"
    "squarf=\342\226\252squf=\342\226\252srarr=\342\206\222sscr=\360\235\223\210"
    "ssetmn=\342\210\226ssmile=\342\214\243sstarf=\342\213\206star=\342\230\206"
    "starf=\342\230\205straightepsilon=\317\265straightphi=\317\225strns=\302\257"
    "sub=\342\212\202subE=\342\253\205subdot=\342\252\275sube=\342\212\206"
    "subedot=\342\253\203submult=\342\253\201subnE=\342\253\213subne=\342\212\212"
    "subplus=\342\252\277subrarr=\342\245\271subset=\342\212\202subseteq=\342\212\206"
    "subseteqq=\342\253\205subsetneq=\342\212\212subsetneqq=\342\253\213"
    "subsim=\342\253\207subsub=\342\253\225subsup=\342\253\223succ=\342\211\273"
    "succapprox=\342\252\270succcurlyeq=\342\211\275succeq=\342\252\260"
    "succnapprox=\342\252\272succneqq=\342\252\266succnsim=\342\213\251"
    "succsim=\342\211\277sum=\342\210\221sung=\342\231\252sup=\342\212\203sup1:\302\271"
    "sup2:\302\262sup3:\302\263supE=\342\253\206supdot=\342\252\276supdsub=\342\253\230"
    "supe=\342\212\207supedot=\342\253\204suphsol=\342\237\211suphsub=\342\253\227"
    "suplarr=\342\245\273supmult=\342\253\202supnE=\342\253\214supne=\342\212\213"
    "supplus=\342\253\200supset=\342\212\203supseteq=\342\212\207supseteqq=\342\253\206"
    "supsetneq=\342\212\213supsetneqq=\342\253\214supsim=\342\253\210supsub=\342\253\224"
    "supsup=\342\253\226swArr=\342\207\231swarhk=\342\244\246swarr=\342\206\231"
    "swarrow=\342\206\231swnwar=\342\244\252szlig:\303\237target=\342\214\226tau=\317\204"
    "tbrk=\342\216\264tcaron=\305\245tcedil=\305\243tcy=\321\202tdot=\342\203\233"
    "telrec=\342\214\225tfr=\360\235\224\261there4=\342\210\264therefore=\342\210\264"
    "theta=\316\270thetasym=\317\221thetav=\317\221thickapprox=\342\211\210"
    "thicksim=\342\210\274thinsp=\342\200\211thkap=\342\211\210thksim=\342\210\274"
    "thorn:\303\276tilde=\313\234times:\303\227timesb=\342\212\240timesbar=\342\250\261"
    "timesd=\342\250\260tint=\342\210\255toea=\342\244\250top=\342\212\244"
    "topbot=\342\214\266topcir=\342\253\261topf=\360\235\225\245topfork=\342\253\232"
    "tosa=\342\244\251tprime=\342\200\264trade=\342\204\242triangle=\342\226\265"
    "triangledown=\342\226\277triangleleft=\342\227\203trianglelefteq=\342\212\264"
    "triangleq=\342\211\234triangleright=\342\226\271trianglerighteq=\342\212\265"
    "tridot=\342\227\254trie=\342\211\234triminus=\342\250\272triplus=\342\250\271"
    "trisb=\342\247\215tritime=\342\250\273trpezium=\342\217\242tscr=\360\235\223\211"
    "tscy=\321\206tshcy=\321\233tstrok=\305\247twixt=\342\211\254"
    "twoheadleftarrow=\342\206\236twoheadrightarrow=\342\206\240uArr=\342\207\221"
    "uHar=\342\245\243uacute:\303\272uarr=\342\206\221ubrcy=\321\236ubreve=\305\255"
    "ucirc:\303\273ucy=\321\203udarr=\342\207\205udblac=\305\261udhar=\342\245\256"
    "ufisht=\342\245\276ufr=\360\235\224\262ugrave:\303\271uharl=\342\206\277"
    "uharr=\342\206\276uhblk=\342\226\200ulcorn=\342\214\234ulcorner=\342\214\234"
    "ulcrop=\342\214\217ultri=\342\227\270umacr=\305\253uml:\302\250uogon=\305\263"
    "uopf=\360\235\225\246uparrow=\342\206\221updownarrow=\342\206\225"
    "upharpoonleft=\342\206\277upharpoonright=\342\206\276uplus=\342\212\216upsi=\317\205"
    "upsih=\317\222upsilon=\317\205upuparrows=\342\207\210urcorn=\342\214\235"
    "urcorner=\342\214\235urcrop=\342\214\216uring=\305\257urtri=\342\227\271"
    "uscr=\360\235\223\212utdot=\342\213\260utilde=\305\251utri=\342\226\265"
    "utrif=\342\226\264uuarr=\342\207\210uuml:\303\274uwangle=\342\246\247"
    "vArr=\342\207\225vBar=\342\253\250vBarv=\342\253\251vDash=\342\212\250"
    "vangrt=\342\246\234varepsilon=\317\265varkappa=\317\260varnothing=\342\210\205"
    "varphi=\317\225varpi=\317\226varpropto=\342\210\235varr=\342\206\225varrho=\317\261"
    "varsigma=\317\202varsubsetneq=\342\212\212\357\270\200"
    "varsubsetneqq=\342\253\213\357\270\200varsupsetneq=\342\212\213\357\270\200"
    "varsupsetneqq=\342\253\214\357\270\200vartheta=\317\221vartriangleleft=\342\212\262"
    "vartriangleright=\342\212\263vcy=\320\262vdash=\342\212\242vee=\342\210\250"
    "veebar=\342\212\273veeeq=\342\211\232vellip=\342\213\256verbar=|vert=|"
    "vfr=\360\235\224\263vltri=\342\212\262vnsub=\342\212\202\342\203\222"
    "vnsup=\342\212\203\342\203\222vopf=\360\235\225\247vprop=\342\210\235"
    "vrtri=\342\212\263vscr=\360\235\223\213vsubnE=\342\253\213\357\270\200"
    "vsubne=\342\212\212\357\270\200vsupnE=\342\253\214\357\270\200"
    "vsupne=\342\212\213\357\270\200vzigzag=\342\246\232wcirc=\305\265wedbar=\342\251\237"
    "wedge=\342\210\247wedgeq=\342\211\231weierp=\342\204\230wfr=\360\235\224\264"
    "wopf=\360\235\225\250wp=\342\204\230wr=\342\211\200wreath=\342\211\200"
    "wscr=\360\235\223\214xcap=\342\213\202xcirc=\342\227\257xcup=\342\213\203"
    "xdtri=\342\226\275xfr=\360\235\224\265xhArr=\342\237\272xharr=\342\237\267"
    "xi=\316\276xlArr=\342\237\270xlarr=\342\237\265xmap=\342\237\274xnis=\342\213\273"
    "xodot=\342\250\200xopf=\360\235\225\251xoplus=\342\250\201xotime=\342\250\202"
    "xrArr=\342\237\271xrarr=\342\237\266xscr=\360\235\223\215xsqcup=\342\250\206"
    "xuplus=\342\250\204xutri=\342\226\263xvee=\342\213\201xwedge=\342\213\200"
    "yacute:\303\275yacy=\321\217ycirc=\305\267ycy=\321\213yen:\302\245"
    "yfr=\360\235\224\266yicy=\321\227yopf=\360\235\225\252yscr=\360\235\223\216"
    "yucy=\321\216yuml:\303\277zacute=\305\272zcaron=\305\276zcy=\320\267zdot=\305\274"
    "zeetrf=\342\204\250zeta=\316\266zfr=\360\235\224\267zhcy=\320\266"
    "zigrarr=\342\207\235zopf=\360\235\225\253zscr=\360\235\223\217zwj=\342\200\215"
    "zwnj=\342\200\214";
static const unsigned short entity_at[ENTITY_COUNT + 1] = {
    0, 8, 13, 22, 31, 39, 45, 53, 62, 70, 78, 85, 93, 102, 119, 127, 136, 146, 155, 162,
    175, 183, 193, 199, 210, 224, 231, 239, 248, 256, 264, 274, 281, 288, 297, 304, 328,
    339, 348, 357, 365, 376, 383, 393, 405, 412, 418, 431, 446, 460, 475, 503, 528, 547,
    556, 566, 579, 589, 608, 616, 629, 664, 673, 682, 689, 699, 705, 717, 724, 731, 738,
    748, 756, 765, 774, 780, 787, 795, 803, 822, 839, 864, 882, 901, 912, 929, 938, 944,
    954, 966, 991, 1003, 1022, 1041, 1065, 1082, 1105, 1133, 1157, 1177, 1195, 1212,
    1233, 1254, 1267, 1283, 1303, 1315, 1338, 1359, 1377, 1398, 1420, 1439, 1461, 1472,
    1488, 1501, 1510, 1519, 1525, 1531, 1540, 1549, 1557, 1563, 1570, 1578, 1587, 1598,
    1606, 1626, 1650, 1658, 1667, 1677, 1686, 1700, 1715, 1723, 1731, 1737, 1744, 1754,
    1770, 1776, 1784, 1805, 1830, 1839, 1849, 1863, 1871, 1878, 1882, 1890, 1899, 1908,
    1917, 1925, 1931, 1938, 1946, 1952, 1961, 1977, 1997, 2017, 2035, 2050, 2071, 2087,
    2096, 2102, 2111, 2119, 2124, 2132, 2139, 2155, 2163, 2181, 2189, 2198, 2214, 2227,
    2234, 2242, 2249, 2258, 2266, 2272, 2279, 2286, 2295, 2301, 2309, 2323, 2334, 2341,
    2353, 2369, 2387, 2405, 2413, 2422, 2429, 2437, 2446, 2454, 2461, 2469, 2475, 2483,
    2492, 2501, 2510, 2518, 2525, 2532, 2540, 2549, 2555, 2563, 2572, 2581, 2588, 2592,
    2601, 2610, 2618, 2632, 2640, 2649, 2658, 2664, 2684, 2697, 2713, 2736, 2751, 2772,
    2793, 2811, 2832, 2845, 2863, 2882, 2893, 2909, 2926, 2942, 2961, 2982, 3002, 3021,
    3037, 3056, 3070, 3087, 3100, 3118, 3138, 3155, 3170, 3182, 3200, 3213, 3221, 3227,
    3241, 3250, 3267, 3289, 3307, 3324, 3346, 3364, 3373, 3391, 3410, 3418, 3425, 3434,
    3440, 3447, 3453, 3468, 3481, 3489, 3502, 3511, 3519, 3524, 3531, 3540, 3549, 3558,
    3564, 3587, 3609, 3630, 3655, 3679, 3697, 3706, 3714, 3725, 3744, 3752, 3759, 3775,
    3788, 3812, 3826, 3838, 3857, 3870, 3884, 3903, 3928, 3951, 3969, 3995, 4014, 4035,
    4053, 4072, 4096, 4120, 4131, 4147, 4165, 4182, 4205, 4221, 4250, 4273, 4288, 4310,
    4335, 4356, 4376, 4401, 4426, 4447, 4471, 4494, 4520, 4536, 4554, 4569, 4591, 4616,
    4638, 4656, 4676, 4688, 4705, 4726, 4743, 4761, 4770, 4779, 4784, 4792, 4801, 4809,
    4815, 4824, 4832, 4841, 4849, 4857, 4867, 4876, 4900, 4918, 4924, 4933, 4942, 4951,
    4961, 4968, 4979, 4992, 5007, 5026, 5038, 5044, 5052, 5058, 5063, 5075, 5092, 5100,
    5106, 5118, 5135, 5157, 5174, 5183, 5194, 5208, 5224, 5233, 5239, 5245, 5253, 5261,
    5270, 5279, 5285, 5294, 5302, 5310, 5320, 5329, 5338, 5344, 5350, 5368, 5390, 5414,
    5421, 5427, 5448, 5462, 5479, 5502, 5518, 5540, 5562, 5581, 5603, 5617, 5629, 5646,
    5664, 5681, 5701, 5723, 5744, 5764, 5781, 5801, 5816, 5834, 5848, 5856, 5872, 5887,
    5895, 5902, 5917, 5926, 5933, 5942, 5951, 5957, 5966, 5975, 5983, 5989, 5997, 6015,
    6033, 6052, 6068, 6076, 6091, 6100, 6108, 6118, 6140, 6156, 6177, 6195, 6218, 6233,
    6242, 6250, 6257, 6267, 6282, 6294, 6311, 6333, 6350, 6362, 6369, 6376, 6388, 6405,
    6415, 6423, 6432, 6440, 6447, 6452, 6458, 6467, 6476, 6482, 6490, 6503, 6511, 6528,
    6541, 6550, 6564, 6582, 6596, 6605, 6618, 6627, 6636, 6645, 6653, 6665, 6673, 6682,
    6690, 6696, 6705, 6713, 6722, 6730, 6740, 6754, 6770, 6790, 6799, 6812, 6820, 6829,
    6840, 6854, 6874, 6889, 6906, 6915, 6929, 6940, 6955, 6973, 6992, 6999, 7009, 7017,
    7026, 7035, 7042, 7051, 7059, 7065, 7074, 7084, 7091, 7101, 7109, 7124, 7138, 7159,
    7176, 7193, 7201, 7210, 7219, 7229, 7237, 7246, 7254, 7263, 7272, 7280, 7285, 7294,
    7303, 7310, 7317, 7324, 7333, 7341, 7347, 7355, 7364, 7373, 7380, 7387, 7396, 7405,
    7411, 7418, 7436, 7443, 7450, 7458, 7467, 7476, 7485, 7491, 7500, 7507, 7515, 7523,
    7529, 7537, 7543, 7551, 7560, 7571, 7580, 7588, 7596, 7605, 7610, 7617, 7627, 7635,
    7647, 7655, 7662, 7670, 7679, 7689, 7701, 7713, 7725, 7737, 7749, 7761, 7773, 7785,
    7794, 7805, 7817, 7827, 7835, 7846, 7854, 7863, 7869, 7876, 7886, 7893, 7901, 7907,
    7917, 7929, 7937, 7946, 7951, 7960, 7971, 7980, 7987, 7999, 8008, 8016, 8028, 8042,
    8055, 8066, 8079, 8089, 8099, 8111, 8119, 8131, 8140, 8146, 8155, 8165, 8176, 8187,
    8195, 8205, 8212, 8220, 8231, 8239, 8249, 8260, 8270, 8281, 8293, 8306, 8318, 8329,
    8348, 8365, 8377, 8387, 8399, 8409, 8425, 8440, 8457, 8478, 8499, 8521, 8530, 8539,
    8548, 8557, 8566, 8574, 8588, 8596, 8605, 8612, 8622, 8632, 8641, 8650, 8659, 8668,
    8676, 8685, 8694, 8703, 8712, 8721, 8730, 8739, 8748, 8756, 8765, 8774, 8783, 8792,
    8801, 8810, 8820, 8829, 8838, 8847, 8856, 8864, 8873, 8882, 8891, 8900, 8912, 8923,
    8935, 8944, 8953, 8962, 8971, 8979, 8988, 8997, 9006, 9015, 9024, 9033, 9043, 9051,
    9060, 9069, 9078, 9086, 9095, 9101, 9110, 9122, 9130, 9140, 9148, 9157, 9166, 9176,
    9185, 9192, 9202, 9214, 9224, 9234, 9244, 9255, 9264, 9272, 9281, 9290, 9299, 9307,
    9316, 9327, 9334, 9342, 9353, 9360, 9372, 9380, 9387, 9396, 9409, 9415, 9422, 9430,
    9437, 9447, 9466, 9486, 9497, 9509, 9523, 9538, 9553, 9561, 9573, 9583, 9594, 9603,
    9615, 9622, 9632, 9643, 9650, 9658, 9666, 9676, 9690, 9703, 9711, 9722, 9732, 9741,
    9751, 9758, 9768, 9777, 9786, 9795, 9803, 9812, 9820, 9829, 9838, 9849, 9860, 9869,
    9878, 9888, 9899, 9906, 9918, 9928, 9938, 9948, 9957, 9968, 9978, 9989, 10004, 10019,
    10031, 10045, 10054, 10072, 10091, 10100, 10109, 10121, 10130, 10140, 10148, 10156,
    10166, 10176, 10184, 10192, 10201, 10212, 10220, 10229, 10235, 10241, 10252, 10261,
    10272, 10278, 10286, 10297, 10307, 10315, 10324, 10333, 10341, 10352, 10367, 10376,
    10382, 10392, 10401, 10407, 10416, 10433, 10443, 10450, 10460, 10470, 10478, 10487,
    10493, 10502, 10514, 10526, 10537, 10550, 10568, 10581, 10599, 10618, 10638, 10650,
    10660, 10670, 10679, 10686, 10694, 10703, 10712, 10720, 10729, 10738, 10747, 10758,
    10765, 10777, 10786, 10794, 10803, 10813, 10822, 10830, 10838, 10848, 10854, 10861,
    10867, 10876, 10884, 10890, 10899, 10906, 10916, 10922, 10934, 10941, 10948, 10958,
    10966, 10975, 10987, 10997, 11005, 11015, 11025, 11031, 11039, 11047, 11056, 11064,
    11074, 11083, 11090, 11100, 11108, 11118, 11129, 11138, 11152, 11167, 11175, 11185,
    11194, 11205, 11217, 11226, 11235, 11243, 11252, 11260, 11266, 11272, 11279, 11287,
    11293, 11302, 11317, 11333, 11350, 11356, 11366, 11376, 11385, 11395, 11403, 11412,
    11420, 11428, 11437, 11446, 11453, 11462, 11472, 11480, 11489, 11501, 11510, 11520,
    11529, 11539, 11549, 11559, 11569, 11579, 11588, 11598, 11608, 11618, 11628, 11638,
    11648, 11657, 11666, 11675, 11681, 11688, 11697, 11705, 11714, 11721, 11730, 11738,
    11744, 11751, 11757, 11764, 11771, 11779, 11791, 11798, 11807, 11817, 11828, 11840,
    11851, 11861, 11869, 11875, 11882, 11891, 11898, 11904, 11911, 11918, 11925, 11932,
    11940, 11952, 11959, 11967, 11976, 11985, 11994, 12001, 12009, 12017, 12026, 12035,
    12039, 12047, 12056, 12065, 12075, 12086, 12099, 12109, 12119, 12132, 12146, 12157,
    12167, 12183, 12194, 12202, 12212, 12219, 12229, 12238, 12246, 12257, 12266, 12274,
    12282, 12292, 12305, 12315, 12325, 12333, 12345, 12357, 12366, 12376, 12393, 12411,
    12420, 12430, 12439, 12449, 12458, 12468, 12478, 12487, 12493, 12501, 12507, 12514,
    12522, 12529, 12537, 12546, 12552, 12562, 12571, 12581, 12590, 12598, 12606, 12615,
    12627, 12639, 12647, 12655, 12663, 12669, 12679, 12688, 12700, 12709, 12716, 12726,
    12738, 12750, 12762, 12773, 12780, 12788, 12797, 12804, 12813, 12822, 12831, 12839,
    12848, 12859, 12868, 12878, 12887, 12893, 12902, 12910, 12917, 12925, 12931, 12939,
    12947, 12956, 12965, 12974, 12982, 12990, 12999, 13008, 13014, 13022, 13031, 13038,
    13045, 13054, 13063, 13072, 13080, 13090, 13099, 13105, 13112, 13120, 13129, 13141,
    13151, 13160, 13168, 13177, 13187, 13194, 13202, 13210, 13219, 13230, 13240, 13250,
    13260, 13270, 13281, 13291, 13298, 13308, 13316, 13328, 13337, 13346, 13354, 13362,
    13371, 13382, 13393, 13402, 13411, 13420, 13426, 13432, 13440, 13449, 13459, 13470,
    13482, 13490, 13496, 13509, 13526, 13545, 13562, 13580, 13598, 13617, 13638, 13661,
    13679, 13686, 13693, 13701, 13713, 13720, 13729, 13739, 13750, 13762, 13773, 13783,
    13797, 13808, 13821, 13835, 13846, 13857, 13867, 13877, 13885, 13891, 13898, 13907,
    13916, 13926, 13935, 13942, 13948, 13957, 13969, 13979, 13988, 13997, 14007, 14021,
    14028, 14036, 14048, 14055, 14063, 14072, 14081, 14090, 14099, 14108, 14125, 14147,
    14161, 14179, 14196, 14214, 14223, 14232, 14242, 14253, 14263, 14271, 14278, 14289,
    14297, 14303, 14313, 14322, 14334, 14343, 14353, 14360, 14369, 14379, 14388, 14395,
    14403, 14412, 14421, 14427, 14436, 14446, 14455, 14459, 14467, 14476, 14485, 14495,
    14505, 14515, 14526, 14536, 14544, 14553, 14562, 14574, 14585, 14601, 14612, 14621,
    14628, 14636, 14644, 14655, 14662, 14672, 14686, 14700, 14712, 14722, 14732, 14738,
    14747, 14764, 14772, 14779, 14787, 14794, 14802, 14812, 14821, 14830, 14840, 14850,
    14861, 14869, 14877, 14887, 14897, 14906, 14912, 14921, 14931, 14936, 14948, 14957,
    14966, 14976, 14986, 15000, 15019, 15028, 15038, 15048, 15063, 15073, 15083, 15092,
    15101, 15112, 15119, 15129, 15140, 15148, 15159, 15168, 15179, 15191, 15198, 15209,
    15221, 15229, 15238, 15247, 15256, 15270, 15278, 15284, 15293, 15299, 15308, 15318,
    15327, 15338, 15349, 15359, 15369, 15380, 15390, 15401, 15409, 15418, 15425, 15433,
    15444, 15459, 15469, 15478, 15485, 15493, 15502, 15511, 15520, 15526, 15533, 15541,
    15548, 15555, 15564, 15573, 15582, 15590, 15597, 15611, 15630, 15638, 15649, 15664,
    15674, 15683, 15692, 15699, 15708, 15718, 15726, 15735, 15741, 15750, 15762, 15776,
    15787, 15798, 15809, 15818, 15829, 15840, 15851, 15859, 15872, 15885, 15896, 15907,
    15914, 15924, 15934, 15943, 15956, 15965, 15974, 15986, 15998, 16013, 16022, 16032,
    16039, 16049, 16059, 16068, 16081, 16099, 16107, 16116, 16126, 16135, 16144, 16155,
    16166, 16174, 16185, 16194, 16208, 16221, 16237, 16246, 16259, 16267, 16278, 16287,
    16301, 16314, 16330, 16338, 16347, 16355, 16372, 16391, 16409, 16429, 16434, 16439,
    16449, 16458, 16468, 16478, 16489, 16499, 16510, 16519, 16530, 16540, 16551, 16560,
    16574, 16584, 16598, 16610, 16619, 16629, 16638, 16649, 16659, 16665, 16674, 16682,
    16690, 16698, 16704, 16713, 16722, 16730, 16738, 16748, 16756, 16765, 16773, 16780,
    16789, 16796, 16805, 16811, 16819, 16828, 16837, 16848, 16857, 16864, 16872, 16880,
    16890, 16898, 16908, 16917, 16925, 16934, 16943, 16949, 16958, 16965, 16974, 16985,
    16992, 16999, 17009, 17017, 17028, 17035, 17043, 17052, 17060, 17069, 17079, 17091,
    17098, 17107, 17114, 17121, 17133, 17143, 17152, 17160, 17166, 17174, 17182, 17192,
    17200, 17211, 17219, 17225, 17232, 17242, 17251, 17256, 17269, 17275, 17285, 17296,
    17306, 17312, 17324, 17333, 17344, 17354, 17364, 17373, 17382, 17393, 17404, 17409,
    17421, 17430, 17438, 17444, 17451, 17459, 17468, 17475, 17483, 17497, 17512, 17522,
    17537, 17549, 17561, 17572, 17581, 17591, 17599, 17608, 17618, 17626, 17638, 17650,
    17662, 17670, 17680, 17689, 17699, 17708, 17714, 17724, 17732, 17740, 17749, 17759,
    17768, 17783, 17794, 17801, 17812, 17818, 17827, 17835, 17845, 17854, 17862, 17872,
    17881, 17890, 17902, 17910, 17919, 17928, 17938, 17946, 17954, 17964, 17973, 17984,
    17993, 18003, 18013, 18023, 18033, 18044, 18054, 18063, 18073, 18082, 18095, 18104,
    18113, 18121, 18129, 18138, 18149, 18160, 18169, 18178, 18187, 18193, 18199, 18207,
    18218, 18227, 18237, 18245, 18253, 18264, 18276, 18285, 18293, 18299, 18309, 18319,
    18327, 18336, 18345, 18355, 18361, 18368, 18382, 18400, 18420, 18438, 18457, 18478,
    18498, 18517, 18536, 18543, 18559, 18568, 18577, 18584, 18594, 18608, 18617, 18626,
    18635, 18644, 18653, 18662, 18672, 18683, 18689, 18699, 18711, 18720, 18730, 18739,
    18746, 18752, 18761, 18771, 18781, 18791, 18799, 18808, 18817, 18829, 18840, 18846,
    18855, 18864, 18870, 18877, 18885, 18894, 18903, 18910, 18919, 18927, 18935, 18944,
    18954, 18966, 18975, 18981, 18989, 18998, 19007, 19016, 19026, 19035, 19046, 19053,
    19059, 19069, 19081, 19090, 19098, 19106, 19116, 19125, 19134, 19141, 19153, 19170,
    19176, 19184, 19193, 19202, 19209, 19219, 19227, 19236, 19244, 19253, 19261, 19270,
    19279, 19290, 19301, 19310, 19327, 19337, 19349, 19357, 19366, 19373, 19381, 19393,
    19402, 19407, 19415, 19425, 19434, 19444, 19457, 19465, 19474, 19487, 19496, 19509,
    19518, 19528, 19540, 19554, 19563, 19573, 19585, 19599, 19606, 19616, 19626, 19634,
    19643, 19652, 19662, 19672, 19682, 19690, 19699, 19717, 19731, 19739, 19746, 19754,
    19764, 19772, 19783, 19794, 19803, 19812, 19823, 19834, 19844, 19856, 19869, 19882,
    19896, 19906, 19916, 19926, 19934, 19948, 19963, 19973, 19988, 20000, 20012, 20023,
    20030, 20038, 20045, 20052, 20059, 20066, 20074, 20084, 20095, 20103, 20114, 20125,
    20136, 20147, 20158, 20167, 20176, 20187, 20197, 20209, 20222, 20235, 20249, 20259,
    20269, 20279, 20288, 20298, 20307, 20318, 20328, 20336, 20346, 20352, 20360, 20369,
    20378, 20384, 20392, 20402, 20410, 20420, 20433, 20441, 20452, 20461, 20476, 20488,
    20498, 20507, 20517, 20525, 20533, 20541, 20551, 20563, 20573, 20581, 20589, 20596,
    20606, 20616, 20625, 20636, 20644, 20654, 20663, 20675, 20691, 20707, 20725, 20738,
    20755, 20774, 20784, 20792, 20804, 20815, 20824, 20835, 20847, 20856, 20863, 20871,
    20880, 20889, 20909, 20930, 20938, 20946, 20955, 20963, 20971, 20980, 20988, 20994,
    21003, 21012, 21021, 21031, 21039, 21048, 21057, 21066, 21075, 21085, 21097, 21107,
    21116, 21124, 21130, 21138, 21147, 21158, 21173, 21190, 21208, 21217, 21224, 21232,
    21242, 21256, 21266, 21278, 21288, 21296, 21305, 21314, 21323, 21332, 21340, 21349,
    21358, 21365, 21376, 21384, 21392, 21401, 21410, 21420, 21433, 21444, 21458, 21467,
    21475, 21488, 21496, 21505, 21516, 21535, 21555, 21574, 21594, 21605, 21624, 21644,
    21650, 21659, 21666, 21676, 21685, 21695, 21703, 21709, 21717, 21726, 21738, 21750,
    21759, 21768, 21777, 21786, 21799, 21812, 21825, 21838, 21849, 21857, 21867, 21876,
    21886, 21896, 21904, 21913, 21919, 21925, 21935, 21944, 21952, 21961, 21969, 21978,
    21986, 21995, 22004, 22009, 22018, 22027, 22035, 22043, 22052, 22061, 22071, 22081,
    22090, 22099, 22108, 22118, 22128, 22137, 22145, 22155, 22164, 22171, 22179, 22185,
    22191, 22199, 22206, 22215, 22224, 22231, 22238, 22247, 22256, 22262, 22269, 22279,
    22286, 22294, 22301, 22312, 22321, 22330, 22337, 22345,
};
/* clang-format on */
