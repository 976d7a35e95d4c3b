# The page for a laboratory's server: `docker build -t clip-workbench .`, then `docker compose up` (compose.yaml).
# With CUDA: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir build==1.* && python -m build --wheel --outdir /wheels . \
    && python -m build --wheel --outdir /wheels workbench/weights

FROM python:3.12-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" "torch>=2.8" "torchvision>=0.23" \
    && pip install --no-cache-dir /wheels/*.whl && rm -r /wheels \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin workbench \
    && install --directory --owner=workbench /data
ENV CLIP_WORKBENCH_HOME=/data MPLCONFIGDIR=/data/matplotlib NUMBA_CACHE_DIR=/data/numba PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["clip-workbench", "serve", "--host", "0.0.0.0"]
CMD ["--auth", "@/run/secrets/login"]
