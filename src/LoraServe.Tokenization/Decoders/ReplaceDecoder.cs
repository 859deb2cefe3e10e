using LoraServe.Tokenization.Patterns;

namespace LoraServe.Tokenization.Decoders;

/// <summary>Replaces every match of a pattern in a token.</summary>
internal sealed class ReplaceDecoder(Pattern pattern, string content) : DecoderStep
{
    public override bool IsByToken(bool isFused) => !isFused;

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) =>
        new Stage(new PatternMatcher(pattern), content, context.IsFused, next);

    private sealed class Stage(PatternMatcher matcher, string content, bool isFused, IFragmentSink next) : TokenStage(next, isFused)
    {
        private readonly TextSink _replaced = new();

        protected override void AcceptToken(ReadOnlySpan<char> token)
        {
            _replaced.Clear();
            PatternScan scan = new(matcher, token);
            while (scan.MoveNext(out int start, out int end, out bool isMatch))
            {
                _replaced.Accept(isMatch ? content : token[start..end], startsToken: false);
            }

            Next.Accept(_replaced.Text, startsToken: true);
        }
    }
}
