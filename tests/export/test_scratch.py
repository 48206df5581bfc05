from callscope_export import export_whisper
def test_x(multilingual, tmp_path):
    r = export_whisper(multilingual, tmp_path/"repo", precision="fp32")
    print(r)
    print((tmp_path/"repo/whisper_decoder/config.pbtxt").read_text())
    import onnxruntime as ort
    for m in r.models:
        p = tmp_path/"repo"/m.name/"1/model.onnx"
        if p.exists(): ort.InferenceSession(str(p))
